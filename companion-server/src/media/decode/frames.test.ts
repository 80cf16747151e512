import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Rgb24Frame } from '../frame.ts';
import { decodeFrames } from './frames.ts';
import { probeClip } from '../probe/probe.ts';
import { collect, turnClockwise, makeClip, makeFolder, testPicture } from '../testing/clips.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

const inFolder = (name: string) => path.join(folder.path, name);
const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '0', '-pix_fmt', 'yuv420p'];

/** A clip whose frame i is grey with the value 16 + 5 i: each frame says its own number. */
function numbered(count: number, rate: string, more: readonly string[] = []): string[] {
  const grey = `color=c=black:size=64x48:rate=${rate},format=yuv420p,geq=lum=16+5*N:cb=128:cr=128`;
  return ['-f', 'lavfi', '-i', grey, '-frames:v', String(count), ...more, ...h264];
}

/** Reads the number of a frame of `numbered` from its middle pixel. */
function numberOf({ width, height, rgb }: Rgb24Frame): number {
  const value = rgb[3 * ((height >> 1) * width + (width >> 1))] ?? NaN;
  return Math.round((value * 219) / 255 / 5);
}

/** The colour of the pixel at (x, y), as the name of its strongest channel. */
function colourAt({ width, rgb }: Rgb24Frame, x: number, y: number): string {
  const [red = 0, green = 0, blue = 0] = rgb.subarray(3 * (y * width + x), 3 * (y * width + x) + 3);
  return red > Math.max(green, blue) ? 'red' : blue > Math.max(red, green) ? 'blue' : 'other';
}

describe('decodeFrames', () => {
  test('yields every frame once, in order, with its index', async () => {
    const clip = await probeClip(await makeClip(inFolder('all.mp4'), numbered(40, '24000/1001')));
    const frames = await collect(decodeFrames(clip));
    expect(frames.map(({ index }) => index)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(frames.map(numberOf)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(frames[0]).toMatchObject({ width: 64, height: 48 });
    expect(frames[0]?.rgb.length).toBe(64 * 48 * 3);
  });

  test.each(['mp4', 'mkv', 'avi'])('an in/out range of .%s is exact', async (ending) => {
    const long = ['-g', '12', ...(ending === 'avi' ? ['-bf', '0'] : [])];
    const file = await makeClip(inFolder(`range.${ending}`), numbered(45, '12', long));
    const clip = await probeClip(file);
    const frames = await collect(decodeFrames(clip, { startFrame: 31, endFrame: 36 }));
    expect(frames.map(numberOf)).toEqual([31, 32, 33, 34, 35]);
    expect(frames.map(({ index }) => index)).toEqual([31, 32, 33, 34, 35]);
    expect((await collect(decodeFrames(clip, { startFrame: 44 }))).map(numberOf)).toEqual([44]);
  });

  test('a raw stream without times is counted and cut by number', async () => {
    const clip = await probeClip(
      await makeClip(inFolder('raw.m2v'), [
        ...numbered(20, '25').slice(0, -h264.length),
        ...['-c:v', 'mpeg2video', '-q:v', '1', '-bf', '0'],
      ]),
    );
    expect(clip.frameCount).toBe(20);
    const frames = await collect(decodeFrames(clip, { startFrame: 5, endFrame: 8 }));
    expect(frames.map(numberOf)).toEqual([5, 6, 7]);
  });

  test('missing frames of a varying rate are filled by the ones before', async () => {
    const drop = ['-vf', 'select=1-eq(n\\,3)-eq(n\\,4)-eq(n\\,8)', '-vsync', 'vfr'];
    const clip = await probeClip(await makeClip(inFolder('vfr.mp4'), numbered(9, '10', drop)));
    expect(clip.variableRate).toBe(true);
    expect((await collect(decodeFrames(clip))).map(numberOf)).toEqual([0, 1, 2, 2, 2, 5, 6, 7, 7, 9, 10, 11]);
    const range = await collect(decodeFrames(clip, { startFrame: 4, endFrame: 7 }));
    expect(range.map(numberOf)).toEqual([2, 5, 6]);
  });

  test('a clip that is stored turned comes out upright', async () => {
    const halves = 'color=red:size=64x48:rate=10,drawbox=y=24:h=24:c=blue:t=fill';
    const file = await makeClip(inFolder('turned.mp4'), [...['-f', 'lavfi', '-i', halves, '-frames:v', '2', ...h264]]);
    await turnClockwise(file);
    const clip = await probeClip(file);
    expect(clip).toMatchObject({
      codedSize: { width: 64, height: 48 },
      frameSize: { width: 48, height: 64 },
      rotationDegrees: 90,
      notices: ['The clip is stored turned; the result is stored upright, 48 x 64.'],
    });
    const [frame] = await collect(decodeFrames(clip));
    expect(frame).toMatchObject({ width: 48, height: 64 });
    // The red upper half has become the right one.
    expect(frame && [colourAt(frame, 8, 32), colourAt(frame, 40, 32)]).toEqual(['blue', 'red']);
  });

  test('an interlaced clip becomes progressive, frame by frame', async () => {
    const file = inFolder('fields.mp4');
    await makeClip(file, [...numbered(8, '25'), '-x264opts', 'tff=1', '-flags', '+ildct+ilme']);
    const clip = await probeClip(file);
    expect(clip.notices).toEqual([
      'The clip is interlaced, the result is not: each frame is made of the field that comes first.',
    ]);
    expect((await collect(decodeFrames(clip, { startFrame: 2 }))).map(numberOf)).toEqual([2, 3, 4, 5, 6, 7]);
  });

  test('pixels that are not square become square', async () => {
    const args = [...testPicture('72x48', '25', 1), '-vf', 'setsar=4/3', ...h264];
    const clip = await probeClip(await makeClip(inFolder('wide.mp4'), args));
    expect(clip.sampleAspect).toEqual({ numerator: 4, denominator: 3 });
    expect((await collect(decodeFrames(clip)))[0]).toMatchObject({ width: 96, height: 48 });
  });

  test.each([
    ['bt709', 'tv'],
    ['bt470bg', 'tv'],
    ['bt709', 'pc'],
    ['bt2020nc', 'tv'],
  ])('colours of a %s clip of %s range are right', async (matrix, range) => {
    const name = matrix === 'bt470bg' ? 'smpte170m' : matrix.replace('nc', '');
    const paint = `color=0xC86432:size=64x48:rate=10,format=rgb24,scale=flags=accurate_rnd+full_chroma_int:out_color_matrix=${name}:out_range=${range},format=yuv420p`;
    const tags = ['-colorspace', matrix, '-color_range', range];
    const file = inFolder(`colour-${matrix}-${range}.mp4`);
    await makeClip(file, ['-f', 'lavfi', '-i', paint, '-frames:v', '1', ...h264, ...tags]);
    const [frame] = await collect(decodeFrames(await probeClip(file)));
    expect(frame?.rgb.slice(0, 3)).toBeAllClose([0xc8, 0x64, 0x32], { atol: 3 });
  });

  test('frames are scaled to the size that is asked for', async () => {
    const clip = await probeClip(await makeClip(inFolder('scale.mp4'), numbered(2, '12')));
    const frames = await collect(decodeFrames(clip, { size: { width: 33, height: 17 } }));
    expect(frames.map(({ width, height, rgb }) => [width, height, rgb.length])).toEqual([
      [33, 17, 33 * 17 * 3],
      [33, 17, 33 * 17 * 3],
    ]);
  });

  test('leaving the loop early is no error', async () => {
    const clip = await probeClip(await makeClip(inFolder('early.mp4'), numbered(40, '12')));
    for await (const frame of decodeFrames(clip)) {
      expect(frame.index).toBe(0);
      break;
    }
  });

  test('a range outside the clip is refused', async () => {
    const clip = await probeClip(await makeClip(inFolder('outside.mp4'), numbered(4, '12')));
    for (const range of [{ endFrame: 5 }, { startFrame: 2, endFrame: 2 }, { startFrame: -1 }]) {
      await expect(collect(decodeFrames(clip, range))).rejects.toMatchObject({
        code: 'invalid-request',
      });
    }
  });

  test('a clip that has lost frames since it was probed is refused', async () => {
    const clip = await probeClip(await makeClip(inFolder('lost.mp4'), numbered(10, '12')));
    await makeClip(clip.path, numbered(7, '12'));
    await expect(collect(decodeFrames(clip))).rejects.toMatchObject({
      code: 'clip-unreadable',
      message: `Of 10 frames of "${clip.path}" that were found in its index, 7 can be decoded.`,
    });
    await expect(collect(decodeFrames(clip, { endFrame: 9 }))).rejects.toMatchObject({
      code: 'clip-unreadable',
    });
  });
});
