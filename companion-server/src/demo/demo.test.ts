import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClipInfo } from '../media/probe/clip-info.ts';
import { encodePng } from '../media/encode/png.ts';
import { decodeFrames } from '../media/decode/frames.ts';
import { probeClip } from '../media/probe/probe.ts';
import { collect, makeFolder, readPixels } from '../media/testing/clips.ts';
import { psnr } from '../metrics/psnr.ts';
import { writeContactSheet } from './contact-sheet.ts';
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

test('a picture survives being written as PNG', async () => {
  const { width, height, rgb, pixelFormat } = renderSampleFrame(0, options);
  const picture = { width, height, rgb, pixelFormat };
  await writeFile(inFolder('picture.png'), encodePng(picture));
  expect(await readPixels(inFolder('picture.png'))).toEqual(picture);
});

test('the contact sheet has a row per clip and evenly spaced columns', async () => {
  const rows = [
    { label: 'original', clip },
    { label: 'edited', clip },
  ];
  await writeContactSheet(inFolder('sheet.png'), rows, { columns: 3, cellWidth: 64 });
  const sheet = await readPixels(inFolder('sheet.png'));
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
