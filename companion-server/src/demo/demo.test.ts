import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClipInfo } from '../media/clip-info.ts';
import { decodeFrames } from '../media/frames.ts';
import { probeClip } from '../media/probe.ts';
import { collect, makeFolder } from '../media/testing/clips.ts';
import { psnr } from '../metrics/psnr.ts';
import { writeContactSheet } from './contact-sheet.ts';
import { encodePng } from './png.ts';
import { writeSampleClip } from './sample-clip.ts';
import { defaultSample, renderSampleFrame } from './sample-frame.ts';
import { writeSideBySide } from './side-by-side.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
let clip: ClipInfo;
const inFolder = (name: string) => path.join(folder.path, name);
const options = { ...defaultSample, width: 64, height: 48, frames: 6 };

beforeAll(async () => {
  folder = await makeFolder();
  await writeSampleClip(inFolder('sample.mp4'), options);
  clip = await probeClip(inFolder('sample.mp4'));
});
afterAll(() => folder.remove());

/** Width, height and pixels of a PNG as `encodePng` writes it. */
function readPng(bytes: Buffer) {
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const start = bytes.indexOf('IDAT');
  const rows = inflateSync(bytes.subarray(start + 4, start + 4 + bytes.readUInt32BE(start - 4)));
  const stride = 3 * width;
  const rgb = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const row = rows.subarray(y * (stride + 1), (y + 1) * (stride + 1));
    expect(row[0]).toBe(4);
    for (let i = 0; i < stride; i++) {
      const at = (dx: number, dy: number) => (i < 3 * dx || y < dy ? 0 : (rgb[(y - dy) * stride + i - 3 * dx] ?? 0));
      const guess = at(1, 0) + at(0, 1) - at(1, 1);
      const [nearest = 0] = [at(1, 0), at(0, 1), at(1, 1)].toSorted(
        (a, b) => Math.abs(guess - a) - Math.abs(guess - b),
      );
      rgb[y * stride + i] = (row[i + 1] ?? 0) + nearest;
    }
  }
  return { index: 0, width, height, pixelFormat: 'rgb24', rgb };
}

test('the sample clip holds the rendered frames', async () => {
  expect(clip).toMatchObject({
    frameCount: 6,
    frameRate: { numerator: 12, denominator: 1 },
    frameSize: { width: 64, height: 48 },
  });
  for (const frame of await collect(decodeFrames(clip))) {
    expect(psnr(frame, renderSampleFrame(frame.index, options))).toBeGreaterThan(32);
  }
});

test('a picture survives being written as PNG', () => {
  const frame = renderSampleFrame(0, options);
  expect(readPng(encodePng(frame))).toEqual(frame);
});

test('the contact sheet has a row per clip and evenly spaced columns', async () => {
  const rows = [
    { label: 'original', clip },
    { label: 'edited', clip },
  ];
  await writeContactSheet(inFolder('sheet.png'), rows, { columns: 3, cellWidth: 64 });
  const sheet = readPng(await readFile(inFolder('sheet.png')));
  expect(sheet).toMatchObject({ width: 6 + 3 * 70, height: 6 + 2 * (20 + 48 + 6) });
  const frames = await collect(decodeFrames(clip));
  for (const [column, index] of [0, 3, 5].entries()) {
    for (const top of [26, 100]) {
      const middle = 3 * ((top + 24) * sheet.width + 6 + column * 70);
      const row = frames[index]?.rgb.subarray(3 * 24 * 64, 3 * 25 * 64);
      expect(sheet.rgb.subarray(middle, middle + 3 * 64)).toEqual(row);
    }
  }
});

describe('writeSideBySide', () => {
  test('puts the clips next to each other, for as long as the shortest lasts', async () => {
    const short = { ...options, frames: 4 };
    await writeSampleClip(inFolder('short.mp4'), short);
    const rows = [
      { label: 'original', clip },
      { label: 'edited', clip: await probeClip(inFolder('short.mp4')) },
    ];
    await writeSideBySide(inFolder('side.mp4'), rows, { height: 48 });
    expect(await probeClip(inFolder('side.mp4'))).toMatchObject({
      frameCount: 4,
      frameSize: { width: 8 + 2 * 72, height: 8 + 28 + 48 },
    });
  });

  test('canceled, it leaves no file', async () => {
    const before = await readdir(folder.path);
    const writing = writeSideBySide(inFolder('none.mp4'), [{ label: 'a', clip }], {
      signal: AbortSignal.abort(),
    });
    await expect(writing).rejects.toMatchObject({ name: 'CanceledError' });
    expect(await readdir(folder.path)).toEqual(before);
  });
});
