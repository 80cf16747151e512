// The judge of `npm run eval:demo` against pictures whose content is known: the sample clips as they are.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hueError, objectHue } from '../bench/demo-world/hue.ts';
import { isPlaced, maskOverlap, openJudge, type Judge } from '../bench/demo-world/judge.ts';
import { outlineDistance } from '../bench/demo-world/outline.ts';
import { readFrames } from '../bench/demo-world/pictures.ts';
import { createCanvas, type Rgb } from '../companion-server/src/demo/canvas.ts';
import { openSample, sampleMasks, sampleNames } from '../companion-server/src/demo/samples.ts';
import { writeRandomTensors } from './random-tensors.ts';
import { repository } from './source-files.ts';

const names = await sampleNames();
const folder = path.join(repository, 'models', 'demo', 'judge');

describe('the judge', () => {
  let judge: Judge;
  beforeAll(async () => (judge = await openJudge(folder)));
  afterAll(() => judge.release());

  test.each(names)('names %s right and finds its object', async (name) => {
    const sample = await openSample(name);
    const masks = await sampleMasks(sample);
    const frames = (await readFrames(sample.clipPath)).filter(({ index }) => index % 8 === 0);
    const { object, place, style, look: judgedLook } = sample;
    const verdicts = await judge.look(frames);
    expect(verdicts).toHaveLength(3);
    for (const [i, verdict] of verdicts.entries()) {
      expect(verdict).toMatchObject({ object, place, style, judgedLook });
      const mask = masks[frames[i]?.index ?? 0] ?? new Uint8Array();
      // In the hard clips posts pass in front of the object, which the judge has never seen.
      expect(maskOverlap(verdict.mask, mask)).toBeGreaterThan(sample.hard ? 0.5 : 0.75);
    }
  });

  test('measures hues in the words of its own heads', async () => {
    const config = JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8')) as {
      heads: { look: string[] };
      reference_hues_degrees: number[];
    };
    expect(config.reference_hues_degrees).toHaveLength(config.heads.look.length);
  });
});

describe('a judge of pictures of 256 pixels', () => {
  const heads = {
    object: ['ball', 'fish'],
    look: ['red', 'wood'],
    place: ['sea'],
    time: ['day'],
    season: ['none'],
    style: ['photo'],
  };
  const layers = {
    conv1: [16, 3],
    conv2: [32, 16],
    conv3: [48, 32],
    conv4: [64, 48],
    conv5: [96, 64],
    conv6: [112, 96],
    conv7: [112, 112],
    mask: [1, 256],
  };
  const shapes = new Map<string, readonly number[]>();
  for (const [name, [outputs = 0, inputs = 0]] of Object.entries(layers)) {
    shapes.set(`${name}.weight`, [outputs, inputs, 3, 3]).set(`${name}.bias`, [outputs]);
  }
  shapes.set('name.weight', [8, 336]).set('name.bias', [8]);
  const picture = (edge: number, colour: Rgb) => createCanvas({ width: edge, height: edge }, colour);

  let judge: Judge;
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-judge-'));
    await writeRandomTensors(path.join(dir, 'model.safetensors'), shapes, { float: 'F32' });
    await writeFile(path.join(dir, 'config.json'), JSON.stringify({ edge: 256, heads }));
    judge = await openJudge(dir);
  });
  afterAll(async () => {
    await judge.release();
    await rm(dir, { recursive: true });
  });

  test('names the look by its head, and time and season too, one picture like many', async () => {
    const pictures = [picture(256, [200, 30, 30]), picture(256, [30, 30, 200])];
    const verdicts = await judge.look(pictures);
    const [alone] = await judge.look(pictures.slice(1));
    expect(verdicts[1]).toEqual(alone);
    for (const verdict of verdicts) {
      expect(verdict).toMatchObject({ place: 'sea', time: 'day', season: 'none', judgedLook: verdict.look });
      expect(heads.look).toContain(verdict.look);
      expect(verdict.mask).toHaveLength(256 * 256);
    }
  });

  test('refuses pictures of another size', async () => {
    await expect(judge.look([picture(128, [0, 0, 0])])).rejects.toThrow('pictures of 256 x 256, got 128 x 128');
  });
});

describe('hue', () => {
  const flat = (rgb: readonly number[]) => ({
    index: 0,
    width: 2,
    height: 1,
    pixelFormat: 'rgb24' as const,
    rgb: Uint8Array.from([...rgb, 128, 128, 128]),
  });

  test.each([
    [[255, 0, 0], 0],
    [[255, 255, 0], 60],
    [[0, 255, 0], 120],
    [[0, 0, 255], 240],
  ])('of %j is %d degrees, whatever grey is beside it', (rgb, expected) => {
    expect(hueError(objectHue(flat(rgb), [1, 1]), expected)).toBeLessThan(0.01);
  });

  test('is measured inside the mask', () => {
    const frame = {
      index: 0,
      width: 2,
      height: 1,
      pixelFormat: 'rgb24' as const,
      rgb: Uint8Array.of(255, 0, 0, 0, 0, 255),
    };
    expect(hueError(objectHue(frame, [0, 1]), 240)).toBeLessThan(0.01);
  });

  test('errors go the short way round', () => {
    expect(hueError(350, 20)).toBe(30);
    expect(hueError(20, 350)).toBe(30);
    expect(hueError(0, 180)).toBe(180);
  });
});

test('overlap is intersection over union', () => {
  expect(maskOverlap(Uint8Array.of(1, 1, 0, 0), Uint8Array.of(0, 1, 1, 0))).toBeCloseTo(1 / 3, 12);
});

describe('an outline', () => {
  const width = 16;
  /** A square of `side` with its corner at (x, y). */
  const square = (x: number, y: number, side: number): Uint8Array =>
    Uint8Array.from({ length: width * width }, (_, i) => {
      const [u, v] = [(i % width) - x, Math.floor(i / width) - y];
      return u >= 0 && u < side && v >= 0 && v < side ? 1 : 0;
    });

  test('is nowhere else when nothing moved, and as far as an object has grown on all sides', () => {
    expect(outlineDistance(square(4, 4, 6), square(4, 4, 6), width)).toBe(0);
    expect(outlineDistance(square(4, 4, 8), square(5, 5, 6), width)).toBeCloseTo(1.03, 1);
    expect(outlineDistance(square(3, 3, 10), square(5, 5, 6), width)).toBeGreaterThan(2);
  });

  test('does not follow the border of the picture, and is missing where no object is', () => {
    expect(outlineDistance(square(0, 4, 6), square(0, 4, 6), width)).toBe(0);
    expect(outlineDistance(new Uint8Array(256), square(4, 4, 6), width)).toBeNull();
    expect(outlineDistance(new Uint8Array(256).fill(1), square(4, 4, 6), width)).toBeNull();
  });
});

test('a picture is in its place when place and style are right, and time and season where the world has them', () => {
  const verdict = { object: 'car', look: 'red', place: 'city', style: 'photo', time: 'night', season: 'none' };
  const seen = { ...verdict, hueDegrees: 0, judgedLook: 'red', mask: new Uint8Array() };
  expect(isPlaced(seen, { object: 'ball', look: 'blue', place: 'city', style: 'photo' })).toBe(true);
  expect(isPlaced(seen, { ...verdict, time: 'night' })).toBe(true);
  expect(isPlaced(seen, { ...verdict, time: 'day' })).toBe(false);
  expect(isPlaced(seen, { ...verdict, place: 'sea' })).toBe(false);
});
