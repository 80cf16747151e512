import { describe, expect, test } from 'vitest';
import type { RgbPlanes } from '../media/rgb-planes.ts';
import { applyGuidedMask, fitMask } from './guided-mask.ts';

/** A bright disc on a dark ground with some texture, at any size. */
function disc(side: number): { readonly guide: RgbPlanes; readonly exact: Float32Array } {
  const inside = (i: number) => Math.hypot((i % side) - 0.45 * side, Math.floor(i / side) - 0.5 * side) < 0.3 * side;
  const texture = (i: number) => 12 * Math.sin((60 * i) / side) * Math.cos((40 * Math.floor(i / side)) / side);
  const plane = (bright: number, dark: number) =>
    Float32Array.from({ length: side * side }, (_, i) => (inside(i) ? bright : dark) + texture(i));
  return {
    guide: { index: 0, width: side, height: side, planes: [plane(200, 60), plane(90, 80), plane(40, 120)] },
    exact: Float32Array.from({ length: side * side }, (_, i) => (inside(i) ? 1 : 0)),
  };
}

/** As tokens have it: the mean of blocks of `cell` pixels. */
function coarse(exact: Float32Array, side: number, cell: number): Float32Array {
  return exact.map((_, i) => {
    const [left, top] = [Math.floor((i % side) / cell) * cell, Math.floor(i / side / cell) * cell];
    let sum = 0;
    for (let k = 0; k < cell * cell; k++) sum += exact[(top + Math.floor(k / cell)) * side + left + (k % cell)] ?? 0;
    return sum / (cell * cell);
  });
}

const wrong = (mask: Float32Array, exact: Float32Array) =>
  mask.filter((value, i) => value >= 0.5 !== (exact[i] ?? 0) >= 0.5).length;

describe('a coarse mask', () => {
  test('comes to the edges of its picture', () => {
    const { guide, exact } = disc(64);
    const rough = coarse(exact, 64, 8);
    const fine = applyGuidedMask(fitMask(guide, rough, 12), guide);
    expect(wrong(rough, exact)).toBeGreaterThan(100);
    expect(wrong(fine, exact)).toBeLessThan(0.25 * wrong(rough, exact));
  });

  test('fitted to a small picture, comes to the edges of the large one', () => {
    const [small, large] = [disc(64), disc(192)];
    const fine = applyGuidedMask(fitMask(small.guide, coarse(small.exact, 64, 8), 12), large.guide);
    expect(wrong(fine, large.exact) / (192 * 192)).toBeLessThan(0.01);
  });

  test('of one value stays at it, whatever the picture shows', () => {
    const { guide } = disc(32);
    for (const value of [0, 1]) {
      const mask = new Float32Array(32 * 32).fill(value);
      expect(applyGuidedMask(fitMask(guide, mask, 4), guide)).toBeAllClose(mask, { atol: 1e-3 });
    }
  });
});
