// Where the mask of an edit comes from: a matte for each frame, masks that are given on single frames, or words.

import type { MaskSettings, MatteChannel } from '../../../../protocol/mask.ts';
import { EditError } from '../../errors.ts';
import type { Coverage } from '../../mask/coverage.ts';
import { drawShapes } from '../../mask/draw-shapes.ts';
import type { Size } from '../../media/frame.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import { planeFormatOf } from '../../media/planes.ts';
import { probeClip } from '../../media/probe/probe.ts';
import type { GivenMask } from './given-mask.ts';
import { readMatte } from './mask-reader.ts';

export type MaskSource =
  | { readonly kind: 'given'; readonly masks: readonly GivenMask[] }
  | { readonly kind: 'words'; readonly words: string }
  | { readonly kind: 'frames'; readonly matte: ClipInfo; readonly channel: MatteChannel };

/** Largest difference of two shapes of pictures, as a ratio, that rounding to pixels explains. */
const sameShape = 1.02;

export interface MaskSourceOptions {
  readonly mask: MaskSettings;
  readonly clip: ClipInfo;
  /** Absolute path of the matte; null where the mask has none. */
  readonly mattePath: string | null;
  /** One after the last frame that is edited. */
  readonly endFrame: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Throws EditError('invalid-request') for a drawing on a frame that the clip does not have, and for a matte of another shape
 * or with too few frames; what `probeClip` throws.
 */
export async function openMaskSource({ mask, clip, ...options }: MaskSourceOptions): Promise<MaskSource> {
  const { drawn, matte, words } = mask;
  if (words !== undefined) return { kind: 'words', words };
  if (drawn !== undefined) {
    for (const { frame } of drawn) requireFrame(frame, clip);
    const masks = drawn.map(({ frame, shapes }) => ({
      frame,
      draw: (size: Size) => Promise.resolve(drawShapes(shapes, size, pixelAspectOf(clip, size))),
    }));
    return { kind: 'given', masks: masks.sort((a, b) => a.frame - b.frame) };
  }
  if (matte === undefined || options.mattePath === null)
    throw new TypeError('The mask has neither shapes nor a matte.');
  const { mattePath, endFrame, signal } = options;
  const picture = await probeClip(mattePath, signal);
  requireShape(picture, clip);
  if (matte.channel === 'alpha') requireAlpha(picture);
  if (picture.frameCount > 1) {
    if (picture.frameCount >= endFrame) return { kind: 'frames', matte: picture, channel: matte.channel };
    throw new EditError(
      'invalid-request',
      `The matte has ${picture.frameCount} frames; the edit goes to frame ${endFrame - 1} of the clip.`,
      { hint: 'Give a matte as long as the clip, or one picture.' },
    );
  }
  requireFrame(matte.frame, clip);
  const draw = async (size: Size): Promise<Coverage> => {
    const reader = readMatte({ matte: picture, channel: matte.channel }, { startFrame: 0, endFrame: 1 }, size, signal);
    try {
      return await reader.at(0);
    } finally {
      await reader.close();
    }
  };
  return { kind: 'given', masks: [{ frame: matte.frame, draw }] };
}

function requireFrame(frame: number, { frameCount }: ClipInfo): void {
  if (frame < frameCount) return;
  throw new EditError(
    'invalid-request',
    `The mask is of frame ${frame}; the clip has ${frameCount} frames, 0 to ${frameCount - 1}.`,
  );
}

function requireShape({ displaySize: matte }: ClipInfo, { displaySize: clip }: ClipInfo): void {
  const ratio = (matte.width * clip.height) / (matte.height * clip.width);
  if (Math.max(ratio, 1 / ratio) <= sameShape) return;
  throw new EditError(
    'invalid-request',
    `The matte is ${matte.width} x ${matte.height}; the clip, ${clip.width} x ${clip.height}, has another shape.`,
    { hint: 'Make the matte as large as the clip.' },
  );
}

function requireAlpha({ pixelFormat, bitDepth }: ClipInfo): void {
  if (planeFormatOf(pixelFormat, bitDepth).hasAlpha) return;
  throw new EditError('invalid-request', `The matte has no alpha; its pixels are ${pixelFormat}.`, {
    hint: 'Leave out --mask-alpha to take its brightness.',
  });
}

/** Width of a pixel to its height where the clip is seen, in a picture of it of `size`. */
function pixelAspectOf({ displaySize }: ClipInfo, { width, height }: Size): number {
  return (displaySize.width * height) / (displaySize.height * width);
}
