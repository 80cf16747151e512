// `frames`: frames of a clip as pictures, to edit them by hand.

import { mkdir } from 'node:fs/promises';
import { join, parse, resolve } from 'node:path';
import { EditError } from '../../errors.ts';
import { toDiskError } from '../../files/disk-error.ts';
import { writeWhole } from '../../files/write-whole.ts';
import { decodeFrames } from '../../media/decode/frames.ts';
import { encodePng } from '../../media/encode/png.ts';
import { probeClip } from '../../media/probe/probe.ts';
import { toneMapped } from '../../media/tone-mapping.ts';
import { defineCommand } from '../command.ts';

/** Of one command. */
const maxFrames = 1_000;

const advice = {
  whenFull: 'Free some space, or name a folder on another disk with --out.',
  whenRefused: 'Name another folder with --out.',
};

export const framesCommand = defineCommand({
  name: 'frames',
  usage: 'CLIP --frames N,... [options]',
  summary: 'Write frames of a clip as PNG, to edit them by hand and give them back with edit --keyframe.',
  options: {
    frames: { kind: 'text', placeholder: 'N,...', help: 'The frames, counted from 0. Required.' },
    out: { kind: 'text', placeholder: 'DIR', help: 'Where they go. Default: CLIP-frames next to the clip.' },
    json: { kind: 'flag', help: 'Print one JSON object.' },
  },
  notes: [
    'The pictures have the size at which the clip is shown, and 8 bits a sample. Clips in PQ and HLG are tone-mapped, as edit shows them to the model.',
  ],
  async run({ values, positionals }, { stdout, signal }) {
    const [clipName, surplus] = positionals;
    if (clipName === undefined || surplus !== undefined) {
      throw new EditError('invalid-request', `frames takes one clip, got ${positionals.length}.`);
    }
    const wanted = parseFrames(values.frames);
    const clipPath = resolve(clipName);
    const clip = toneMapped(await probeClip(clipPath, signal));
    const beyond = wanted.find((frame) => frame >= clip.frameCount);
    if (beyond !== undefined) {
      throw new EditError(
        'invalid-request',
        `--frames names frame ${beyond}; the clip has ${clip.frameCount} frames, 0 to ${clip.frameCount - 1}.`,
      );
    }
    const { dir, name } = parse(clipPath);
    const folder = values.out === undefined ? join(dir, `${name}-frames`) : resolve(values.out);
    await mkdir(folder, { recursive: true }).catch((error: unknown) => {
      throw toDiskError(error, folder, { what: `The folder ${folder} cannot be made`, ...advice });
    });
    const files: string[] = [];
    for (const startFrame of wanted) {
      for await (const frame of decodeFrames(clip, { startFrame, endFrame: startFrame + 1, signal })) {
        const file = join(folder, `frame-${startFrame}.png`);
        await writeWhole(file, (append) => append(encodePng(frame)), {
          what: `The picture ${file} cannot be written`,
          ...advice,
        });
        files.push(file);
        if (!values.json) stdout.write(`${file}\n`);
      }
    }
    if (values.json) stdout.write(`${JSON.stringify({ files })}\n`);
  },
});

function parseFrames(text: string | undefined): readonly number[] {
  const numbers = (text ?? '').split(',').map((one) => (/^\d+$/.test(one.trim()) ? Number(one) : Number.NaN));
  if (text === undefined || numbers.some((one) => Number.isNaN(one)) || numbers.length > maxFrames) {
    const got = text === undefined ? 'nothing' : `'${text.slice(0, 60)}'`;
    throw new EditError('invalid-request', `--frames must be up to ${maxFrames} frames as in 0,12,23, got ${got}.`);
  }
  return [...new Set(numbers)].sort((a, b) => a - b);
}
