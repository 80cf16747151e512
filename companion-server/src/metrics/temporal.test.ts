import { describe, expect, test } from 'vitest';
import type { Rgb24Frame } from '../media/frame.ts';
import { estimateMotion } from './estimate-motion.ts';
import { flicker } from './flicker.ts';
import { zeroFlow, type Flow } from './flow.ts';
import { meanValue } from './mean.ts';
import { measureTemporal, successive } from './temporal.ts';
import { warpError } from './warp-error.ts';

const [width, height] = [20, 12];
const plane = width * height;

/** A pattern moved right by `shift` pixels, with `light` added. */
function pattern(index: number, shift = 0, light = 0): Rgb24Frame {
  const rgb = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    const [x, y] = [(i % width) - shift, Math.floor(i / width)];
    rgb[3 * i] = 60 + ((x * 37 + y * 11 + 400) % 90) + light;
    rgb[3 * i + 1] = 50 + ((x * 13 + y * 29 + 400) % 70) + light;
    rgb[3 * i + 2] = 40 + ((x * 5 + y * 7 + 400) % 50) + light;
  }
  return { index, width, height, pixelFormat: 'rgb24', rgb };
}

/** Everything moves right by `shift`; what leaves the picture is unknown. */
function shiftFlow(shift: number): Flow {
  const flow = zeroFlow({ width, height });
  flow.vectors.data.fill(shift, 0, plane);
  flow.known.forEach((_, i) => (flow.known[i] = (i % width) + shift <= width - 1 ? 1 : 0));
  return flow;
}

async function* stream(...frames: Rgb24Frame[]) {
  yield* frames;
  await Promise.resolve();
}

describe('warpError', () => {
  test('is exactly zero along the true motion', () => {
    const error = warpError(pattern(0), pattern(1, 3), shiftFlow(3));
    expect(error).toEqual({ sum: 0, count: 3 * 17 * height });
  });

  test('a change of light by d is d / 255', () => {
    const error = warpError(pattern(0), pattern(1, 3, 10), shiftFlow(3));
    expect(meanValue(error)).toBeCloseTo(10 / 255, 12);
  });

  test('counts inside the mask only', () => {
    const mask = new Uint8Array(plane);
    mask[5] = 1;
    expect(warpError(pattern(0), pattern(1, 0, 6), zeroFlow({ width, height }), mask).count).toBe(3);
  });

  test('refuses a flow of another size', () => {
    const flow = zeroFlow({ width: height, height: width });
    expect(() => warpError(pattern(0), pattern(1), flow)).toThrow('warpError: the flow must be 20 x 12, got 12 x 20.');
  });
});

describe('flicker', () => {
  test('is zero for a still picture and the change of light otherwise', () => {
    expect(meanValue(flicker(pattern(0), pattern(1)))).toBe(0);
    expect(meanValue(flicker(pattern(0), pattern(1, 0, 51)))).toBeCloseTo(0.2, 12);
  });

  test('inside an empty mask it is not a number', () => {
    expect(meanValue(flicker(pattern(0), pattern(1), new Uint8Array(plane)))).toBeNaN();
  });
});

describe('measureTemporal', () => {
  test('averages over all pairs', async () => {
    const frames = stream(pattern(0), pattern(1, 3), pattern(2, 6, 20));
    const object = new Uint8Array(plane).fill(1);
    const motions = [
      { flow: shiftFlow(3), object },
      { flow: shiftFlow(3), object },
    ];
    const measured = await measureTemporal(frames, motions);
    expect(measured.pairs).toBe(2);
    expect(measured.warpError).toBeCloseTo(10 / 255, 12);
    expect(measured.objectWarpError).toBeCloseTo(10 / 255, 12);
    expect(measured.flicker).toBeGreaterThan(10 / 255);
  });

  test('one frame has no pairs and no numbers', async () => {
    expect(await measureTemporal(stream(pattern(0)), [])).toEqual({
      pairs: 0,
      warpError: NaN,
      objectWarpError: NaN,
      flicker: NaN,
    });
  });

  test('refuses motion that ends before the frames do', async () => {
    await expect(measureTemporal(stream(pattern(0), pattern(1), pattern(2)), [{ flow: shiftFlow(0) }])).rejects.toThrow(
      'measureTemporal: motion for 1 pairs, but there are more.',
    );
  });

  test('takes estimated motion frame by frame', async () => {
    const frames = () => stream(pattern(0), pattern(1), pattern(2));
    const measured = await measureTemporal(frames(), estimateMotion(frames()));
    expect(measured).toMatchObject({ pairs: 2, warpError: 0, flicker: 0 });
  });
});

test('successive reads one frame ahead and no more', async () => {
  let read = 0;
  async function* count() {
    for (;;) {
      await Promise.resolve();
      yield read++;
    }
  }
  for await (const pair of successive(count())) {
    expect(pair).toEqual([read - 2, read - 1]);
    if (read === 4) break;
  }
  expect(read).toBe(4);
});
