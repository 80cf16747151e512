// Clips with fields, in either order: each frame of the edit is the field that comes first, with its lines as they are stored.

import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEncoder } from '../encode/encode.ts';
import { findProgram } from '../ffmpeg/binaries.ts';
import { planeFormatOf } from '../planes.ts';
import { storedRange } from '../colour.ts';
import { probeClip } from '../probe/probe.ts';
import { collect, makeClip, makeFolder } from '../testing/clips.ts';
import { decodeFrames, decodePlanes } from './frames.ts';

const run = promisify(execFile);
const size = { width: 96, height: 64 };
const frames = 5;

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

/** The luma of all frames with both fields in them, as ffmpeg alone decodes it: 8 bits, or 10 in two bytes. */
async function wovenLuma(file: string, pixelFormat: 'gray' | 'gray10le'): Promise<Buffer> {
  const args = ['-v', 'error', '-nostdin', '-i', file, '-vf', `extractplanes=y,format=${pixelFormat}`];
  const ffmpeg = await findProgram('ffmpeg');
  const { stdout } = await run(ffmpeg, [...args, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'], {
    encoding: 'buffer',
  });
  return stdout;
}

const codecs = {
  ProRes: { ending: 'mov', bits: 10, args: ['-c:v', 'prores_ks', '-pix_fmt', 'yuv422p10le', '-flags', '+ildct'] },
  'MPEG-2': { ending: 'mpg', bits: 8, args: ['-c:v', 'mpeg2video', '-b:v', '8M', '-flags', '+ildct+ilme'] },
} as const;
const cases = (['ProRes', 'MPEG-2'] as const).flatMap((codec) =>
  (['tff', 'bff'] as const).map((order) => [codec, order] as const),
);

describe.each(cases)('%s, %s', (codec, order) => {
  const { ending, bits, args } = codecs[codec];
  const file = () => path.join(folder.path, `${codec}-${order}.${ending}`);
  beforeAll(async () => {
    // A picture that moves from field to field.
    const picture = `testsrc2=size=${size.width}x${size.height}:rate=50,interlace=scan=${order}:lowpass=0`;
    const fieldOrder = order === 'tff' ? ['-field_order', 'tt', '-top', '1'] : ['-field_order', 'bb', '-top', '0'];
    await makeClip(file(), ['-f', 'lavfi', '-i', picture, '-frames:v', String(frames), ...args, ...fieldOrder]);
  });

  test('is told to be interlaced, and what becomes of it', async () => {
    const clip = await probeClip(file());
    expect(clip).toMatchObject({ interlaced: true, frameCount: frames, frameRate: { numerator: 25, denominator: 1 } });
    expect(clip.notices.join()).toContain('The clip is interlaced, the result is not');
  });

  test('gives the lines of the first field as they are stored, and lines between them that are not combed', async () => {
    const clip = await probeClip(file());
    const bytes = await wovenLuma(file(), bits === 8 ? 'gray' : 'gray10le');
    const woven = bits === 8 ? bytes : new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
    const decoded = await collect(decodePlanes(clip));
    expect(decoded).toHaveLength(frames);
    const first = order === 'tff' ? 0 : 1;
    let [kept, made] = [0, 0];
    for (const [n, { planes }] of decoded.entries()) {
      for (let y = 0; y < size.height; y++) {
        const line = Array.from(planes[0]?.subarray(y * size.width, (y + 1) * size.width) ?? []);
        const start = (n * size.height + y) * size.width;
        const stored = Array.from(woven.subarray(start, start + size.width));
        if (y % 2 === first) expect(line).toEqual(stored);
        else if (String(line) !== String(stored)) made++;
        kept++;
      }
    }
    expect(kept).toBe(frames * size.height);
    // The picture moves: many lines of the other field do not fit.
    expect(made).toBeGreaterThan(frames * 8);
  });

  test('is read from its middle on as it is from the start', async () => {
    const clip = await probeClip(file());
    const all = await collect(decodeFrames(clip));
    expect(await collect(decodeFrames(clip, { startFrame: 3 }))).toEqual(all.slice(3));
  });
});

test('a result of an interlaced clip is marked as progressive', async () => {
  const clip = await probeClip(path.join(folder.path, 'ProRes-tff.mov'));
  const format = planeFormatOf(clip.pixelFormat, clip.bitDepth);
  const { frameSize, frameRate, colour } = clip;
  const file = path.join(folder.path, 'result.mov');
  const encoder = await openEncoder(file, {
    ...frameSize,
    ...{ frameRate, codec: 'prores', colour, input: format, inputRange: storedRange(clip), clipFormat: format },
  });
  for await (const frame of decodePlanes(clip)) await encoder.write(frame);
  await encoder.finish();
  expect((await probeClip(file)).interlaced).toBe(false);
  const ffprobe = await findProgram('ffprobe');
  const { stdout } = await run(ffprobe, ['-v', 'error', '-show_entries', 'stream=field_order', '-of', 'csv=p=0', file]);
  expect(stdout.trim()).toBe('progressive');
});
