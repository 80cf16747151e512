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
import { edgeToEdge, sideBySide, writeFilm } from './side-by-side.ts';
import { lineHeight } from './text.ts';

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
  const labels = lineHeight('text') + 2;
  expect(sheet).toMatchObject({ width: 6 + 3 * 70, height: 6 + 2 * (labels + 48 + 6) });
  const frames = await collect(decodeFrames(clip));
  for (const [column, index] of [0, 3, 5].entries()) {
    for (const row of [0, 1]) {
      const top = 6 + row * (labels + 48 + 6) + labels;
      const middle = 3 * ((top + 24) * sheet.width + 6 + column * 70);
      const line = frames[index]?.rgb.subarray(3 * 24 * 64, 3 * 25 * 64);
      expect(sheet.rgb.subarray(middle, middle + 3 * 64)).toEqual(line);
    }
  }
});

describe('clips next to each other', () => {
  const columnsOf = async () => {
    const frames = await collect(decodeFrames(clip));
    return [
      { label: 'original', frames },
      { label: 'edited', frames: frames.slice(0, 4) },
    ];
  };

  test('last as long as the shortest, under their labels', async () => {
    const frames = sideBySide(await columnsOf(), 48);
    expect(frames.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    const top = 8 + lineHeight('text') + 4;
    const height = top + 48 + 8;
    expect(frames[0]).toMatchObject({ width: 8 + 2 * 72, height: height + (height % 2) });
    await writeFilm(inFolder('side.mp4'), frames, { frameRate: clip.frameRate, crf: 10 });
    expect(await probeClip(inFolder('side.mp4'))).toMatchObject({ frameCount: 4, frameRate: clip.frameRate });
  });

  test('edge to edge are the very pixels', async () => {
    const [first, second] = await columnsOf();
    if (first === undefined || second === undefined) throw new TypeError('There are two columns.');
    const [, frame] = edgeToEdge([first, second]);
    expect(frame).toMatchObject({ width: 128, height: 48 });
    const row = frame?.rgb.subarray(3 * 128 * 7, 3 * 128 * 8);
    const expected = first.frames[1]?.rgb.subarray(3 * 64 * 7, 3 * 64 * 8);
    expect(row?.subarray(0, 192)).toEqual(expected);
    expect(row?.subarray(192)).toEqual(expected);
  });

  test('canceled, leave no file', async () => {
    const before = await readdir(folder.path);
    const frames = edgeToEdge(await columnsOf());
    const writing = writeFilm(inFolder('none.mp4'), frames, {
      frameRate: clip.frameRate,
      crf: 10,
      signal: AbortSignal.abort(),
    });
    await expect(writing).rejects.toMatchObject({ name: 'CanceledError' });
    expect(await readdir(folder.path)).toEqual(before);
  });
});
