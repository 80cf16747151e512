import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from './random.ts';

function draw(count: number, seed: number, ...stream: number[]): number[] {
  const random = createRandom(seed, ...stream);
  return Array.from({ length: count }, () => random.next());
}

describe('createRandom', () => {
  it('gives the same numbers for the same name, on every machine', () => {
    expect(draw(5, 1, 2)).toEqual(draw(5, 1, 2));
    expect(draw(3, 0)).toMatchInlineSnapshot(`
      [
        1944812245,
        955490540,
        2696791975,
      ]
    `);
    expect(draw(3, 2 ** 53 - 1, 7)).toMatchInlineSnapshot(`
      [
        569879644,
        1144708144,
        297346546,
      ]
    `);
  });

  it('gives unrelated numbers for neighbouring seeds, streams and lengths of the name', () => {
    const names: number[][] = [[0], [1], [0, 0], [0, 1], [1, 0], [0, 0, 0], [2 ** 32], [2 ** 32, 1]];
    const firsts = names.flatMap(([seed = 0, ...stream]) => draw(4, seed, ...stream));
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  it('refuses seeds that are not whole numbers', () => {
    expect(() => createRandom(-1)).toThrow('got -1');
    expect(() => createRandom(1, 0.5)).toThrow('got 0.5');
    expect(() => createRandom(NaN)).toThrow('got NaN');
  });
});

describe('distributions', () => {
  it('uniform lies in [0, 1) and fills it evenly', () => {
    const random = createRandom(7);
    const bins = new Array<number>(16).fill(0);
    for (let i = 0; i < 16_000; i++) {
      const bin = Math.floor(random.uniform() * 16);
      bins[bin] = (bins[bin] ?? NaN) + 1;
    }
    // Chi-squared with 15 degrees of freedom exceeds 40 with probability 0.0005.
    const chiSquared = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquared).toBeLessThan(40);
  });

  it('below stays below its limit and reaches every value', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.nat(), (limit, seed) => {
        const value = createRandom(seed).below(limit);
        expect(Number.isInteger(value) && value >= 0 && value < limit).toBe(true);
      }),
    );
    const random = createRandom(3);
    const seen = new Set(Array.from({ length: 200 }, () => random.below(6)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(() => random.below(0)).toThrow('got 0');
  });

  it('gaussian has mean 0, variance 1, no skew and the tails of the normal distribution', () => {
    const random = createRandom(11, 5);
    const values = Array.from({ length: 100_000 }, () => random.gaussian());
    const moment = (power: number) => values.reduce((sum, x) => sum + x ** power, 0) / values.length;
    expect(Math.abs(moment(1))).toBeLessThan(0.01);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.02);
    expect(Math.abs(moment(3))).toBeLessThan(0.05);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.1);
  });

  it('neighbouring streams are uncorrelated', () => {
    const a = createRandom(0, 1);
    const b = createRandom(0, 2);
    let correlation = 0;
    for (let i = 0; i < 20_000; i++) correlation += a.gaussian() * b.gaussian();
    expect(Math.abs(correlation / 20_000)).toBeLessThan(0.03);
  });
});
