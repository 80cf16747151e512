import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addFrames,
  parseTicks,
  rateOfTimebase,
  spansOverlap,
  ticksPerSecond,
  toSeconds,
  wholeFrames,
} from './ticks.ts';

const timebases = [
  ['10594584000', 24000, 1001],
  ['10584000000', 24, 1],
  ['10160640000', 25, 1],
  ['8475667200', 30000, 1001],
  ['8467200000', 30, 1],
  ['5080320000', 50, 1],
  ['4237833600', 60000, 1001],
  ['4233600000', 60, 1],
] as const;

const anyTicks = fc.bigInt({ min: 0n, max: ticksPerSecond * 3600n * 100n }).map(String);

describe('ticks', () => {
  test.each(timebases)('a frame of %s ticks is one of %i/%i seconds', (ticks, numerator, denominator) => {
    expect(rateOfTimebase(ticks)).toEqual({ numerator, denominator });
  });

  test.each(timebases)('frames of %s ticks are counted as they were added, wherever they start', (timebase) => {
    fc.assert(
      fc.property(anyTicks, fc.integer({ min: 1, max: 10_000_000 }), (start, frames) => {
        expect(wholeFrames(start, addFrames(start, frames, timebase), timebase)).toBe(frames);
      }),
    );
  });

  test('a span that ends within a frame, or before it starts, has no count of frames', () => {
    expect(wholeFrames('0', '10160640001', '10160640000')).toBeNull();
    expect(wholeFrames('10160640000', '0', '10160640000')).toBeNull();
    expect(wholeFrames('5', '5', '10160640000')).toBeNull();
  });

  test('a tick counts also where a double would lose it', () => {
    const late = String(ticksPerSecond * 3600n * 50n);
    expect(wholeFrames(late, String(BigInt(late) + 1n), '1')).toBe(1);
    expect(spansOverlap({ start: '0', end: late }, { start: late, end: `${late}0` })).toBe(false);
    expect(spansOverlap({ start: '0', end: String(BigInt(late) + 1n) }, { start: late, end: `${late}0` })).toBe(true);
  });

  test('seconds are those of the ticks', () => {
    expect(toSeconds('254016000000')).toBe(1);
    expect(toSeconds('-127008000000')).toBe(-0.5);
    expect(toSeconds('8475667200')).toBeCloseTo(1001 / 30000, 15);
  });

  test.each(['1.5', '', '1e9', 'NaN', '0x10'])('%j is not a number of ticks', (text) => {
    expect(() => parseTicks(text)).toThrow(RangeError);
  });
});
