import { describe, expect, it } from 'vitest';
import { float8ToFloat32 } from './float8.ts';
import { float16ToFloat32, float32ToFloat16 } from './half.ts';

const everyPattern = Uint8Array.from({ length: 256 }, (_, pattern) => pattern);

describe('e4m3', () => {
  it('widens to the values that the paper lists', () => {
    const patterns = Uint8Array.of(0x00, 0x80, 0x01, 0x07, 0x08, 0x38, 0xb8, 0x7e, 0xfe);
    const values = [0, -0, 2 ** -9, 7 * 2 ** -9, 2 ** -6, 1, -1, 448, -448];
    expect([...float8ToFloat32('e4m3', patterns)]).toEqual(values);
    expect([...float8ToFloat32('e4m3', Uint8Array.of(0x7f, 0xff))]).toEqual([NaN, NaN]);
  });

  it('has no infinity', () => {
    expect(float8ToFloat32('e4m3', everyPattern).includes(Infinity)).toBe(false);
  });
});

describe('e5m2', () => {
  it('is the upper half of a float16, for every pattern', () => {
    const halves = Uint16Array.from(everyPattern, (pattern) => pattern << 8);
    expect([...float8ToFloat32('e5m2', everyPattern)]).toEqual([...float16ToFloat32(halves)]);
  });
});

it.each(['e4m3', 'e5m2'] as const)('%s comes through half precision unchanged', (format) => {
  const wide = float8ToFloat32(format, everyPattern);
  expect([...float16ToFloat32(float32ToFloat16(wide))]).toEqual([...wide]);
});

it('writes into the given array and leaves the rest of it alone', () => {
  const target = Float32Array.of(5, 5, 5);
  float8ToFloat32('e5m2', Uint8Array.of(0x3c, 0x40), target);
  expect([...target]).toEqual([1, 2, 5]);
});
