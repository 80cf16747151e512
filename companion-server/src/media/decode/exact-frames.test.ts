// Formats whose index is coarse or missing, and codecs whose packets are not frames: whatever a range begins with, the
// pictures are those that it names.

import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClipInfo } from '../probe/clip-info.ts';
import type { Rgb24Frame } from '../frame.ts';
import { decodeFrames } from './frames.ts';
import { readPictureOf } from './picture.ts';
import { probeClip } from '../probe/probe.ts';
import { collect, makeClip, makeFolder } from '../testing/clips.ts';
import { fieldCodedH264, type PictureCoding } from '../testing/field-coded.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

const inFolder = (name: string) => path.join(folder.path, name);
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '0', '-pix_fmt', 'yuv420p'];

/**
 * Frame i says its number in two greys of ten steps each, left the tens, right the ones: up to 100 frames tell apart. Drawn
 * small and then enlarged, which is quicker than to compute each pixel.
 */
function counted(count: number, rate: number, size = '64x64'): string[] {
  const digit = '16+20*if(lt(X,W/2),floor(mod(N,100)/10),mod(N,10))';
  const small = `color=c=black:size=4x4:rate=${rate},format=yuv420p,geq=lum='${digit}':cb=128:cr=128`;
  const grey = `${small},scale=${size.replace('x', ':')}:flags=neighbor`;
  return ['-f', 'lavfi', '-i', grey, '-frames:v', String(count)];
}

/** What `counted` wrote, modulo 100. */
function countOf({ width, height, rgb }: Rgb24Frame): number {
  const row = (height >> 1) * width;
  const digit = (x: number) => Math.round(((rgb[3 * (row + x)] ?? NaN) * 219) / 255 / 20);
  return 10 * digit(width >> 2) + digit(width - (width >> 2));
}

async function countsIn(clip: ClipInfo, startFrame: number, endFrame: number): Promise<number[]> {
  return (await collect(decodeFrames(clip, { startFrame, endFrame }))).map(countOf);
}

describe('a range of a transport stream is exact', () => {
  test.each([
    [250, 25, 400, 385],
    [250, 25, 400, 249],
    [50, 25, 200, 131],
    [120, 60, 240, 170],
  ])('with a keyframe every %i frames at %i per second', async (gop, rate, count, start) => {
    const keyframes = ['-g', String(gop), '-keyint_min', String(gop), '-sc_threshold', '0'];
    const file = inFolder(`gop-${gop}-${rate}-${start}.ts`);
    await makeClip(file, [...counted(count, rate), ...x264, ...keyframes]);
    const expected = Array.from({ length: 5 }, (_, i) => (start + i) % 100);
    expect(await countsIn(await probeClip(file), start, start + 5)).toEqual(expected);
  });

  test('with B-frames and open groups of pictures', async () => {
    const groups = ['-g', '25', '-bf', '3', '-x264opts', 'open-gop=1:b-adapt=0', '-preset', 'fast'];
    const file = await makeClip(inFolder('open.ts'), [...counted(100, 25), ...x264, ...groups]);
    const clip = await probeClip(file);
    for (const start of [23, 47, 48, 49, 50, 51, 74]) {
      expect(await countsIn(clip, start, start + 2)).toEqual([start, start + 1]);
    }
  });

  test('that is refreshed column by column and has no keyframe but the first', async () => {
    const refresh = ['-x264opts', 'intra-refresh=1:keyint=30:bframes=0'];
    const file = inFolder('refresh.ts');
    await makeClip(file, [...counted(120, 30), ...x264, ...refresh]);
    const clip = await probeClip(file);
    expect(clip.frameCount).toBe(120);
    for (const start of [29, 45, 70, 99]) {
      expect(await countsIn(clip, start, start + 2)).toEqual([start % 100, (start + 1) % 100]);
    }
  });

  test('that was cut out of a longer one, in the middle of a group of pictures', async () => {
    const groups = ['-g', '25', '-bf', '3', '-x264opts', 'open-gop=1:b-adapt=0', '-preset', 'fast'];
    const whole = await makeClip(inFolder('whole.ts'), [...counted(100, 25), ...x264, ...groups]);
    const args = ['-noaccurate_seek', '-ss', '1.5', '-i', whole, '-c', 'copy', '-copyts'];
    const file = await makeClip(inFolder('cut.ts'), args);
    const clip = await probeClip(file);
    const all = (await collect(decodeFrames(clip))).map(countOf);
    expect(all).toHaveLength(clip.frameCount);
    expect(all).toEqual(all.map((_, i) => (all[0] ?? NaN) + i));
    expect(all.at(-1)).toBe(99);
    expect(await countsIn(clip, 20, 22)).toEqual(all.slice(20, 22));
  });

  test('for a single picture, too', async () => {
    const keyframes = ['-g', '250', '-keyint_min', '250', '-sc_threshold', '0'];
    const file = await makeClip(inFolder('one.ts'), [...counted(400, 25), ...x264, ...keyframes]);
    const jpeg = await readPictureOf(await probeClip(file), 385, 64);
    await writeFile(inFolder('one.jpg'), jpeg);
    await makeClip(inFolder('one.avi'), ['-f', 'mjpeg', '-i', inFolder('one.jpg'), '-c', 'copy']);
    expect(await countsIn(await probeClip(inFolder('one.avi')), 0, 1)).toEqual([85]);
  });
});

test.each(['mpg', 'mxf', 'flv', 'wmv', 'nut', 'ogv', 'mov', 'webm'])('a range of .%s is exact', async (ending) => {
  const file = inFolder(`range.${ending}`);
  const codecs: Record<string, string[]> = {
    mpg: ['-c:v', 'mpeg2video', '-q:v', '1', '-bf', '2'],
    mxf: ['-c:v', 'mpeg2video', '-q:v', '1'],
    wmv: ['-c:v', 'msmpeg4v3', '-q:v', '1'],
    ogv: ['-c:v', 'libtheora', '-q:v', '10'],
    webm: ['-c:v', 'libvpx', '-auto-alt-ref', '1', '-b:v', '2M', '-deadline', 'realtime', '-cpu-used', '8'],
  };
  await makeClip(file, [...counted(100, 25), ...(codecs[ending] ?? x264), '-g', '40']);
  const clip = await probeClip(file);
  for (const start of [39, 40, 77]) {
    expect(await countsIn(clip, start, start + 2)).toEqual([start, start + 1]);
  }
});

describe('field-coded H.264', () => {
  const codings: [string, (frame: number) => PictureCoding][] = [
    ['every frame as two fields', () => 'fields'],
    ['some frames as two fields', (frame) => (frame % 7 < 3 ? 'frame' : 'fields')],
    ['two fields after a second of whole frames', (frame) => (frame < 30 ? 'frame' : 'fields')],
  ];
  test.each(codings.flatMap(([name, of]) => ['ts', 'mkv', 'mp4'].map((ending) => [name, ending, of] as const)))(
    '%s, in .%s, keeps its frame rate and its frames',
    async (name, ending, of) => {
      const coding = Array.from({ length: 60 }, (_, frame) => of(frame));
      const luma = (frame: number) => 16 + 3 * frame;
      const raw = inFolder('fields.264');
      await writeFile(raw, fieldCodedH264({ width: 64, height: 64, rate: 25, gop: 12, coding, luma }));
      const file = inFolder(`${name.replaceAll(' ', '-')}.${ending}`);
      await makeClip(file, ['-fflags', '+genpts', '-i', raw, '-c', 'copy']);
      const clip = await probeClip(file);
      expect(clip).toMatchObject({
        frameRate: { numerator: 25, denominator: 1 },
        frameCount: 60,
        variableRate: false,
        interlaced: true,
      });
      const frames = await collect(decodeFrames(clip, { startFrame: 41, endFrame: 44 }));
      const numbers = frames.map(({ rgb }) => Math.round(((rgb[0] ?? 0) * 219) / 255 / 3));
      expect(numbers).toEqual([41, 42, 43]);
    },
  );
});

test('an interlaced clip is read the same every time', async () => {
  const fields = ['-vf', 'setfield=tff', '-c:v', 'prores_ks', '-flags', '+ildct+ilme'];
  const args = ['-f', 'lavfi', '-i', 'testsrc2=s=128x96:r=25:d=4', ...fields];
  const clip = await probeClip(await makeClip(inFolder('fields.mov'), args));
  const digests = new Set<string>();
  for (let i = 0; i < 12; i++) {
    const hash = createHash('sha256');
    for await (const { rgb } of decodeFrames(clip)) hash.update(rgb);
    digests.add(hash.digest('hex'));
  }
  expect(digests.size).toBe(1);
});

test('DV is made progressive although its header does not say that it has fields', async () => {
  const dv = ['-vf', 'scale=720:576,setsar=16/15', '-pix_fmt', 'yuv420p', '-c:v', 'dvvideo'];
  const clip = await probeClip(await makeClip(inFolder('tape.dv'), [...counted(50, 25), ...dv]));
  expect(clip.interlaced).toBe(true);
  expect(clip.notices).toContain(
    'The clip is interlaced, the result is not: each frame is made of the field that comes first.',
  );
  const frames = await collect(decodeFrames(clip, { startFrame: 30, endFrame: 32 }));
  expect(frames.map(countOf)).toEqual([30, 31]);
});
