import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Picture, Rgb24Frame } from '../frame.ts';
import { encodeJpeg } from '../encode/encode-picture.ts';
import { readPicture, readPictureOf } from './picture.ts';
import { probeClip } from '../probe/probe.ts';
import { makeClip, makeFolder, readPixels } from '../testing/clips.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

const inFolder = (name: string) => path.join(folder.path, name);
const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '0', '-pix_fmt', 'yuv420p'];

/** Frame i is grey with the value 16 + 5 i. */
function numbered(count: number, more: readonly string[] = []): string[] {
  const grey = `color=c=black:size=64x48:rate=12,format=yuv420p,geq=lum=16+5*N:cb=128:cr=128`;
  return ['-f', 'lavfi', '-i', grey, '-frames:v', String(count), ...more, ...h264];
}

/** The JPEG's pixels. */
async function pixelsOf(jpeg: Uint8Array) {
  await writeFile(inFolder('picture.jpg'), jpeg);
  return readPixels(inFolder('picture.jpg'));
}

async function numberIn(jpeg: Uint8Array): Promise<number> {
  const { width, height, rgb } = await pixelsOf(jpeg);
  const value = rgb[3 * ((height >> 1) * width + (width >> 1))] ?? NaN;
  return Math.round((value * 219) / 255 / 5);
}

test.each([
  ['mp4', ['-g', '12']],
  ['mkv', ['-g', '40', '-bf', '3']],
  ['avi', ['-g', '12', '-bf', '0']],
])('the frame of .%s is the one that was asked for', async (ending, more) => {
  const clip = await probeClip(await makeClip(inFolder(`numbered.${ending}`), numbered(40, more)));
  for (const index of [0, 1, 17, 39]) {
    expect(await numberIn(await readPictureOf(clip, index, 100))).toBe(index);
  }
});

test('another picture of the frame is shown instead, of the same size', async () => {
  const clip = await probeClip(await makeClip(inFolder('drawn.mp4'), numbered(4)));
  const draw = (frame: Rgb24Frame) => ({ ...frame, rgb: frame.rgb.map((value) => 255 - value) });
  const [plain, drawn] = [await readPictureOf(clip, 3, 32), await readPictureOf(clip, 3, 32, { draw })];
  const [before, after] = [await pixelsOf(plain), await pixelsOf(drawn)];
  expect([after.width, after.height]).toEqual([before.width, before.height]);
  expect((before.rgb[0] ?? 0) + (after.rgb[0] ?? 0)).toBeCloseTo(255, -1);
});

test('a frame that a varying rate has left out shows the one before', async () => {
  const drop = ['-vf', 'select=1-eq(n\\,3)-eq(n\\,4)-eq(n\\,8)', '-vsync', 'vfr'];
  const clip = await probeClip(await makeClip(inFolder('vfr.mp4'), numbered(9, drop)));
  const numbers: number[] = [];
  for (const index of [2, 4, 5, 8]) numbers.push(await numberIn(await readPictureOf(clip, index, 100)));
  expect(numbers).toEqual([2, 2, 5, 7]);
});

test('colours are right, and the picture is scaled down but never up', async () => {
  const paint = 'color=0xC86432:size=96x64:rate=10,format=yuv420p';
  const file = await makeClip(inFolder('colour.mp4'), ['-f', 'lavfi', '-i', paint, '-frames:v', '2', ...h264]);
  const small = await pixelsOf(await readPicture(file, 1, 48));
  expect(small).toMatchObject({ width: 48, height: 32 });
  expect(small.rgb.slice(0, 3)).toBeAllClose([0xc8, 0x64, 0x32], { atol: 5 });
  expect(await pixelsOf(await readPicture(file, 1, 4096))).toMatchObject({ width: 96, height: 64 });
});

test('a clip that is stored turned is shown upright', async () => {
  const halves = 'color=red:size=64x48:rate=10,drawbox=y=24:h=24:c=blue:t=fill';
  const file = await makeClip(inFolder('turned.mp4'), ['-f', 'lavfi', '-i', halves, '-frames:v', '2', ...h264]);
  const bytes = await readFile(file);
  const matrix = bytes.indexOf('tkhd') + 4 + 40;
  const quarterTurn = [0, 0x10000, 0, -0x10000, 0, 0, 48 << 16, 0, 0x40000000];
  quarterTurn.forEach((value, i) => bytes.writeInt32BE(value, matrix + 4 * i));
  await writeFile(file, bytes);
  const { width, height, rgb } = await pixelsOf(await readPicture(file, 1, 64));
  expect([width, height]).toEqual([48, 64]);
  // The upper half is to the right after a quarter turn clockwise.
  const [red = 0, , blue = 0] = rgb.subarray(3 * (32 * width + 40));
  expect(red).toBeGreaterThan(blue);
});

describe('of a clip of two frames', () => {
  let file: string;
  beforeAll(async () => {
    file = await makeClip(inFolder('two.mp4'), numbered(2));
  });

  test.each([-1, 2, 0.5, NaN])('frame %d is refused', async (index) => {
    await expect(readPicture(file, index, 64)).rejects.toMatchObject({ code: 'invalid-request' });
  });
});

test('a picture with alpha is no JPEG', async () => {
  const clear: Picture = { width: 1, height: 1, pixelFormat: 'rgba', rgb: Uint8Array.of(1, 2, 3, 4) };
  await expect(encodeJpeg(clear, 3)).rejects.toThrow('encodeJpeg: the pixel format must be rgb24, got rgba.');
});
