// The options that say where an edit may change its clip, and the mask that they make.

import { join, resolve } from 'node:path';
import { FieldError, parse } from '../../../protocol/fields.ts';
import {
  growRange,
  hasWords,
  maskSettings,
  maxFeather,
  shapeKinds,
  type MaskSettings,
} from '../../../protocol/mask.ts';
import { EditError } from '../errors.ts';
import { sha256OfFile } from '../files/sha256.ts';
import { pictureClipExtension, writePictureClip } from '../media/encode/picture-clip.ts';
import { kindOfFile } from '../media/probe/file-kind.ts';
import type { Options, Values } from './options.ts';

export const maskOptions = {
  mask: {
    kind: 'text',
    placeholder: 'FILE',
    help: 'Where the edit may change the clip: a matte as a video or a picture; white is edited.',
  },
  'mask-shape': {
    kind: 'texts',
    placeholder: 'KIND:X,Y,...',
    help: `A shape of the mask: ${shapeKinds.join(', ')} with its points in shares of width and height, for example ellipse:0.2,0.3,0.6,0.9. A brush has its radius in front of them: brush:0.05,0.2,0.3,0.8,0.3. A minus in front, -brush:..., takes away. May be given several times.`,
  },
  'mask-words': {
    kind: 'text',
    placeholder: 'TEXT',
    help: 'The edit may change what these words of --source-prompt name, for example "the wolf".',
  },
  'mask-frame': {
    kind: 'number',
    placeholder: 'N',
    help: 'The frame of the clip that the shapes, or the picture of --mask, belong to. Default: 0.',
  },
  'mask-still': {
    kind: 'flag',
    help: 'The mask of one frame stays where it is. Otherwise it goes with what it covers.',
  },
  'mask-alpha': {
    kind: 'flag',
    help: "The alpha of --mask counts, not its brightness; without --mask, the clip's own alpha.",
  },
  'mask-invert': { kind: 'flag', help: 'The edit may change all but the mask.' },
  'output-alpha': {
    kind: 'flag',
    help: 'The result is the edit with the mask as its alpha, to lie above the clip. Default codec: prores-4444.',
  },
  grow: {
    kind: 'number',
    placeholder: 'N',
    help: `Pixels of the clip by which the edge of the mask moves outwards, ${growRange.min} to ${growRange.max}. Default: 0.`,
  },
  feather: {
    kind: 'number',
    placeholder: 'N',
    help: `Pixels of the clip over which the edge of the mask fades on either side, up to ${maxFeather}. Default: 0.`,
  },
} as const satisfies Options;

/** The mask, and the file to send for it. */
export interface MaskRequest {
  readonly mask: MaskSettings;
  /** Absolute path of a video; null where the mask needs none. */
  readonly mattePath: string | null;
}

/**
 * The mask that the options make; null for none. A picture becomes a clip of one frame in `folder`. Throws EditError that
 * names the option; what reading the matte throws.
 */
export async function readMask(
  values: Values<typeof maskOptions> & { readonly 'source-prompt'?: string | undefined },
  clipPath: string,
  folder: () => Promise<string>,
  signal?: AbortSignal,
): Promise<MaskRequest | null> {
  const file = values.mask ?? (values['mask-alpha'] ? clipPath : undefined);
  const shapes = values['mask-shape'];
  const words = values['mask-words'];
  if (file === undefined && shapes.length === 0 && words === undefined) {
    refuseWithoutMask(values);
    return null;
  }
  if (file !== undefined && shapes.length > 0) {
    throw new EditError('invalid-request', '--mask-shape cannot be used together with --mask or --mask-alpha.');
  }
  if (words !== undefined && (file !== undefined || shapes.length > 0)) {
    throw new EditError('invalid-request', '--mask-words cannot be used together with another mask.');
  }
  const frame = values['mask-frame'] ?? 0;
  const edge = {
    follows: !values['mask-still'],
    invert: values['mask-invert'],
    grow: values.grow ?? 0,
    feather: values.feather ?? 0,
    asAlpha: values['output-alpha'],
  };
  if (words !== undefined) {
    requireWords(words, values['source-prompt'] ?? '');
    return { mask: parseMask({ words, ...edge }), mattePath: null };
  }
  if (file === undefined) {
    return { mask: parseMask({ drawn: [{ frame, shapes: shapes.map(parseShape) }], ...edge }), mattePath: null };
  }
  const mattePath = await matteClip(resolve(file), folder, signal);
  const sha256 = await sha256OfFile(mattePath, { signal });
  const channel = values['mask-alpha'] ? 'alpha' : 'luma';
  return { mask: parseMask({ matte: { sha256, channel, frame }, ...edge }), mattePath };
}

function refuseWithoutMask(values: Values<typeof maskOptions>): void {
  const given = (['mask-frame', 'grow', 'feather'] as const).find((name) => values[name] !== undefined);
  const flag = (['mask-still', 'mask-invert', 'output-alpha'] as const).find((name) => values[name]);
  const option = given ?? flag;
  if (option === undefined) return;
  throw new EditError('invalid-request', `--${option} needs a mask.`, {
    hint: 'Give one with --mask, --mask-shape, --mask-words or --mask-alpha.',
  });
}

function requireWords(words: string, sourcePrompt: string): void {
  if (hasWords(sourcePrompt, words)) return;
  throw new EditError(
    'invalid-request',
    `--mask-words must be in the source prompt, "${sourcePrompt}", got "${words}".`,
    {
      hint: 'Say with --source-prompt what the clip shows, in these words.',
    },
  );
}

async function matteClip(file: string, folder: () => Promise<string>, signal?: AbortSignal): Promise<string> {
  const kind = await kindOfFile(file).catch((error: unknown) => {
    throw new EditError('clip-missing', `--mask names a file that cannot be read: ${file}.`, { cause: error });
  });
  if (kind !== 'picture') return file;
  const clip = join(await folder(), `mask${pictureClipExtension}`);
  await writePictureClip(file, clip, signal);
  return clip;
}

/** `ellipse:0.2,0.3,0.6,0.9`, `-brush:0.05,0.2,0.3`; the minus is an eraser. */
function parseShape(text: string): unknown {
  const [, minus = '', kind = '', list = ''] = /^(-?)([a-z]+):(.*)$/.exec(text) ?? [];
  const numbers = list === '' ? [] : list.split(',').map(Number);
  if (numbers.length === 0 || numbers.some((value) => !Number.isFinite(value))) {
    throw new EditError('invalid-request', `--mask-shape must look like ellipse:0.2,0.3,0.6,0.9, got '${text}'.`);
  }
  const [radius, ...along] = numbers;
  const place = kind === 'brush' ? { points: along, radius } : { points: numbers };
  return { kind, ...place, erases: minus !== '' };
}

function parseMask(value: unknown): MaskSettings {
  try {
    return parse(maskSettings, value, 'mask');
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    const { path, complaint, code } = error;
    if (path.startsWith('mask.drawn.0.shapes')) throw new EditError(code, `--mask-shape ${complaint}`);
    if (path === 'mask.words') throw new EditError(code, `--mask-words ${complaint}`);
    const option = path === 'mask.grow' || path === 'mask.feather' ? path.replace('mask.', '') : 'mask-frame';
    throw new EditError(code, `--${option} ${complaint}`);
  }
}
