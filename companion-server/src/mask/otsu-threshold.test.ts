import fc from 'fast-check';
import { expect, test } from 'vitest';
import { otsuThreshold } from './otsu-threshold.ts';

test('parts two heaps of values that lie far apart, also one value from ten', () => {
  const heap = (from: number) =>
    fc.array(fc.double({ min: from, max: from + 0.02, noNaN: true }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(heap(0), heap(0.8), (low, high) => {
      const threshold = otsuThreshold(Float32Array.from([...low, ...high]));
      expect(low.every((value) => Math.fround(value) <= threshold)).toBe(true);
      expect(high.every((value) => Math.fround(value) > threshold)).toBe(true);
    }),
  );
});

test('has nothing above it where all values are 0', () => {
  expect(new Float32Array(9).some((value) => value > otsuThreshold(new Float32Array(9)))).toBe(false);
});
