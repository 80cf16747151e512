import { describe, expect, test } from 'vitest';
import type { Rational } from '../frame.ts';
import { planRate, planSourceFrames } from './frame-times.ts';

const ratio = (numerator: number, denominator: number): Rational => ({ numerator, denominator });
const grid = (rate: number, count: number, start = 0) =>
  Float64Array.from({ length: count }, (_, i) => start + i / rate);

describe('planRate', () => {
  test('takes the declared rate when the frames stand on its grid', () => {
    const plan = planRate(grid(30_000 / 1001, 500, 1.4), [ratio(30_000, 1001)], null);
    expect(plan).toEqual({ frameRate: ratio(30_000, 1001), frameCount: 500, variableRate: false });
  });

  test('times that are rounded to milliseconds still give the exact rate', () => {
    const times = grid(60_000 / 1001, 900).map((time) => Math.round(time * 1000) / 1000);
    const plan = planRate(times, [ratio(19_001, 317), ratio(60_000, 1001)], null);
    expect(plan).toEqual({ frameRate: ratio(60_000, 1001), frameCount: 900, variableRate: false });
  });

  test.each([
    [1_000_000, 33_333, 30, 1],
    [1_000_000, 41_708, 24_000, 1001],
    [1_000_000, 16_683, 60_000, 1001],
    [2997, 100, 30_000, 1001],
    [1_000_000, 40_000, 25, 1],
  ])('%i/%i per second is %i/%i, also in a long clip', (declared, per, numerator, denominator) => {
    const plan = planRate(grid(declared / per, 100_000), [ratio(declared, per)], null);
    expect(plan).toEqual({
      frameRate: ratio(numerator, denominator),
      frameCount: 100_000,
      variableRate: false,
    });
  });

  test('a wrong claim is passed over for a standard rate that fits', () => {
    const plan = planRate(grid(25, 300), [ratio(50, 1)], null);
    expect(plan).toEqual({ frameRate: ratio(25, 1), frameCount: 300, variableRate: false });
  });

  test('one frame keeps the declared rate', () => {
    const plan = planRate(grid(1, 1), [ratio(48, 1)], 1 / 48);
    expect(plan).toEqual({ frameRate: ratio(48, 1), frameCount: 1, variableRate: false });
  });

  test('dropped frames make the rate variable and leave the length as it is', () => {
    const times = grid(30, 60).filter((_, i) => i % 7 !== 2);
    const plan = planRate(times, [ratio(30, 1), ratio(180, 7)], 1 / 30);
    expect(plan).toEqual({ frameRate: ratio(30, 1), frameCount: 60, variableRate: true });
  });

  test('an unusual varying rate is kept as a ratio', () => {
    const times = Float64Array.from([0, 0.13, 0.26, 0.9, 1.03]);
    const plan = planRate(times, [], 0.13);
    expect(plan).toEqual({ frameRate: ratio(1923, 250), frameCount: 9, variableRate: true });
  });
});

describe('planSourceFrames', () => {
  test('is the identity for a constant rate', () => {
    const clip = { frameTimes: grid(25, 10), frameRate: ratio(25, 1), variableRate: false };
    expect(planSourceFrames(clip, 3, 7)).toEqual([3, 4, 5, 6]);
  });

  test('a missing frame is filled by the one before it, a surplus one is left out', () => {
    const frameTimes = Float64Array.from([0, 0.1, 0.3, 0.31, 0.4]);
    const clip = { frameTimes, frameRate: ratio(10, 1), variableRate: true };
    expect(planSourceFrames(clip, 0, 5)).toEqual([0, 1, 1, 3, 4]);
  });
});
