// What the bench of fidelity measures with, on pictures whose figures are known.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { comparePlanes, countDifferent } from '../bench/fidelity/compare-planes.ts';
import { losslessPictures, makePicture } from '../bench/fidelity/patterns.ts';
import { nearIdentity, untouchedFrom, writeSmallEdit } from '../bench/fidelity/small-edits.ts';
import { decodePlanes } from '../companion-server/src/media/decode/frames.ts';
import { yuvFormat, type PlanarPicture } from '../companion-server/src/media/planes.ts';
import { probeClip } from '../companion-server/src/media/probe/probe.ts';
import { collect } from '../companion-server/src/media/testing/clips.ts';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-fidelity-test-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const format = yuvFormat('444', 10);
const size = { width: 8, height: 1 };

function picture(luma: readonly number[]): PlanarPicture {
  const grey = () => new Uint16Array(8).fill(512);
  return { ...size, format, planes: [Uint16Array.from(luma), grey(), grey()] };
}

const source = picture([4, 30, 64, 500, 501, 940, 1000, 1019]);

describe('the measure of fidelity', () => {
  test('equal pictures are infinitely alike, and nothing is clipped', () => {
    expect(comparePlanes([source], [source], 0)).toEqual({
      decibels: [Infinity, Infinity, Infinity],
      longestRun: 1,
      clipped: 0,
    });
  });

  test('a luma sample of eight that is off by one code of 1023 has 69.2 dB', () => {
    const off = picture([4, 30, 64, 500, 500, 940, 1000, 1019]);
    const { decibels, longestRun } = comparePlanes([source], [off], 0);
    expect(decibels[0]).toBeCloseTo(10 * Math.log10(1023 ** 2 * 8), 6);
    expect(decibels.slice(1)).toEqual([Infinity, Infinity]);
    expect(longestRun).toBe(2);
  });

  test('codes beyond black and white that come back are counted', () => {
    const clipped = picture([64, 64, 64, 500, 501, 940, 940, 940]);
    expect(comparePlanes([source], [clipped], 0).clipped).toBe(4);
    expect(comparePlanes([source], [clipped], 0.5).clipped).toBe(2);
  });

  test('pictures of another size, and lists of another length, are refused', () => {
    const wide = { ...source, planes: source.planes.map((plane) => plane.subarray(1)) };
    expect(() => comparePlanes([source], [wide], 0)).toThrow(RangeError);
    expect(() => comparePlanes([source], [], 0)).toThrow(RangeError);
  });
});

test('an edit of less than a code on the left changes samples there, and none on the right', async () => {
  const picture422 = losslessPictures.find(({ name }) => name === 'yuv422p12le');
  if (picture422 === undefined) throw new RangeError('The picture is missing.');
  const clip = await probeClip(await makePicture(picture422, path.join(folder, 'clip.mkv')));
  const file = path.join(folder, 'near.mkv');
  await writeSmallEdit(clip, nearIdentity, 'ffv1', file);
  const [sources, results] = [await collect(decodePlanes(clip)), await collect(decodePlanes(await probeClip(file)))];
  expect(sources).toHaveLength(2);
  expect(countDifferent(sources, results)).toBeGreaterThan(0);
  expect(comparePlanes(sources, results, untouchedFrom).decibels).toEqual([Infinity, Infinity, Infinity]);
  // A quarter of a code of 8 bits is four of 12; at the end of the change, the grain takes part in it.
  const farthest = Math.max(
    ...sources.flatMap(({ planes: [luma] }, i) =>
      Array.from(luma ?? [], (code, at) => Math.abs(code - (results[i]?.planes[0]?.[at] ?? 0))),
    ),
  );
  expect(farthest).toBeGreaterThan(0);
  expect(farthest).toBeLessThan(16);
});
