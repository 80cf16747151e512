import { describe, expect, test } from 'vitest';
import type { Rgb24Frame } from '../media/frame.ts';
import { estimateFlow } from './block-matching.ts';
import { sampleBilinear, zeroFlow } from './flow.ts';

const [width, height] = [96, 72];

/** A smooth texture moved by (dx, dy) pixels: the point at (x, y) was at (x - dx, y - dy). */
function texture(dx: number, dy: number): Rgb24Frame {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [(i % width) - dx, Math.floor(i / width) - dy];
    const value =
      128 +
      45 * Math.sin(x / 3.1 + 0.7 * Math.sin(y / 7)) +
      45 * Math.cos(y / 2.7 + 0.9 * Math.sin(x / 9)) +
      30 * Math.sin((x + 2 * y) / 17);
    rgb.fill(Math.round(value), 3 * i, 3 * i + 3);
  }
  return { index: 0, width, height, pixelFormat: 'rgb24', rgb };
}

describe('estimateFlow', () => {
  test.each([
    [0, 0, 0.02],
    [3, -2, 0.05],
    [-7, 5, 0.05],
    [0.5, 0.25, 0.15],
    [-2.3, 1.6, 0.15],
  ])('a shift by (%f, %f) is found to %f pixels', (dx, dy, limit) => {
    const { vectors, known } = estimateFlow(texture(0, 0), texture(dx, dy));
    expect(vectors.dims).toEqual([2, height, width]);
    const errors: number[] = [];
    for (let y = 16; y < height - 16; y++) {
      for (let x = 16; x < width - 16; x++) {
        const i = y * width + x;
        if (known[i] !== 1) continue;
        const [fx = NaN, fy = NaN] = [vectors.data[i], vectors.data[width * height + i]];
        errors.push(Math.hypot(fx - dx, fy - dy));
      }
    }
    expect(errors.length).toBeGreaterThan(0.9 * (width - 32) * (height - 32));
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(limit);
  });

  test('what leaves the picture is unknown', () => {
    const { known } = estimateFlow(texture(0, 0), texture(-7, 0));
    expect(known[36 * width + 2]).toBe(0);
    expect(known[36 * width + 40]).toBe(1);
  });

  test('a flat picture stands still', () => {
    const flat = { ...texture(0, 0), rgb: new Uint8Array(width * height * 3).fill(90) };
    expect(estimateFlow(flat, flat)).toEqual(zeroFlow(flat));
  });

  test('works on pictures smaller than its window', () => {
    const tiny = { index: 0, width: 5, height: 3, pixelFormat: 'rgb24' as const, rgb: new Uint8Array(45) };
    expect(estimateFlow(tiny, tiny).vectors.dims).toEqual([2, 3, 5]);
  });
});

describe('sampleBilinear', () => {
  const plane = [0, 10, 20, 30];
  const size = { width: 2, height: 2 };

  test('is the value on a pixel, the mean between four, and the border outside', () => {
    expect(sampleBilinear(plane, size, 1, 0)).toBe(10);
    expect(sampleBilinear(plane, size, 0.5, 0.5)).toBe(15);
    expect(sampleBilinear(plane, size, -3, 9)).toBe(20);
  });

  test('takes one of several interleaved channels', () => {
    expect(sampleBilinear([0, 1, 2, 3, 4, 5], { width: 2, height: 1 }, 0.5, 0, 3, 1)).toBe(2.5);
  });
});
