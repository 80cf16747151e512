import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bfloat16ToFloat32, float16ToFloat32, float32ToFloat16 } from './half.ts';

const everyPattern = Uint16Array.from({ length: 0x10000 }, (_, pattern) => pattern);

/** The definition of binary16, written with powers instead of bits. */
function valueOfHalf(pattern: number): number {
  const sign = (pattern & 0x8000) === 0 ? 1 : -1;
  const exponent = (pattern >> 10) & 31;
  const fraction = (pattern & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}

describe('float16', () => {
  it('widens every pattern to the value that the standard defines', () => {
    const widened = float16ToFloat32(everyPattern);
    everyPattern.forEach((pattern) => {
      const value = widened[pattern];
      if (!Object.is(value, valueOfHalf(pattern))) {
        expect.fail(`pattern ${pattern} became ${value}, not ${valueOfHalf(pattern)}`);
      }
    });
    expect(widened).toHaveLength(0x10000);
  });

  it('comes back unchanged from float32, every pattern that is not a signalling NaN', () => {
    const back = float32ToFloat16(float16ToFloat32(everyPattern));
    const changed = everyPattern.filter((pattern) => back[pattern] !== pattern);
    expect(changed.every((p) => (p & 0x7c00) === 0x7c00 && (p & 0x3ff) !== 0)).toBe(true);
    expect(changed.every((p) => back[p] === (p | 0x200))).toBe(true);
  });

  it('rounds any float32 to the nearest half, ties to even', () => {
    fc.assert(
      fc.property(fc.float({ min: -70_000, max: 70_000, noNaN: true }), (value) => {
        const [pattern = 0] = float32ToFloat16(Float32Array.of(value));
        // The overflow threshold treats infinity as 2^16, the next value of the grid.
        const finite = (p: number) => Math.min(Math.abs(valueOfHalf(p)), 65_536);
        const magnitude = Math.abs(value);
        const error = Math.abs(finite(pattern) - magnitude);
        for (const neighbour of [pattern - 1, pattern + 1]) {
          if ((neighbour & 0x7fff) > 0x7c00 || (neighbour & 0x8000) !== (pattern & 0x8000)) continue;
          const other = Math.abs(finite(neighbour) - magnitude);
          expect(error < other || (error === other && pattern % 2 === 0)).toBe(true);
        }
        expect((pattern & 0x8000) !== 0).toBe(value < 0 || Object.is(value, -0));
      }),
      { numRuns: 2_000 },
    );
  });

  it('rounds at the edges: ties, the largest finite value, the smallest subnormal', () => {
    const cases: [number, number][] = [
      [65_504, 0x7bff],
      [65_519.99, 0x7bff],
      [65_520, 0x7c00],
      [-Infinity, 0xfc00],
      [2 ** -24, 0x0001],
      [2 ** -25, 0x0000],
      [2 ** -25 * 1.001, 0x0001],
      [3 * 2 ** -25, 0x0002],
      [2 ** -14 - 2 ** -26, 0x0400],
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [-0, 0x8000],
      [1e-40, 0x0000],
    ];
    for (const [value, pattern] of cases) {
      expect(float32ToFloat16(Float32Array.of(value))).toEqual(Uint16Array.of(pattern));
    }
  });
});

describe('bfloat16', () => {
  it('widens to the float32 whose upper half it is', () => {
    const widened = bfloat16ToFloat32(Uint16Array.of(0x3f80, 0xc049, 0x0001, 0x7f80, 0xff80, 0x7fc0));
    expect([...widened]).toEqual([1, -3.140625, 2 ** -133, Infinity, -Infinity, NaN]);
  });

  it('writes into the given array and leaves the rest of it alone', () => {
    const target = Float32Array.of(5, 5, 5, 5).subarray(1);
    bfloat16ToFloat32(Uint16Array.of(0x3f80, 0x4000), target);
    float16ToFloat32(Uint16Array.of(0x3c00), target);
    expect([...target]).toEqual([1, 2, 5]);
    expect(new Float32Array(target.buffer)[0]).toBe(5);
  });
});
