import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { techniqueNames } from '../../../protocol/techniques.ts';
import { techniqueNamed, techniques } from './list.ts';
import { injectionAt, thresholdsOf } from './plug-and-play.ts';
import { sdedit } from './sdedit.ts';

const sdeditStart = (strength: number, steps: number): number => sdedit.startStep?.({ strength, steps }) ?? NaN;

describe('the list of techniques', () => {
  it('is the one that people choose from', () => {
    expect(techniques.map(({ name }) => name)).toEqual(techniqueNames);
  });

  it('knows a technique by its name, and refuses others with the names that there are', () => {
    for (const name of techniqueNames) expect(techniqueNamed(name).name).toBe(name);
    expect(() => techniqueNamed('magic')).toThrow('no technique "magic"; there are pnp, sdedit, none');
  });
});

describe('Plug-and-Play', () => {
  it('at strength 0.5 has the official thresholds', () => {
    expect(thresholdsOf(0.5)).toEqual({ attention: 0.5, features: 0.8 });
  });

  it('at strength 1 injects nothing, at 0 everything', () => {
    expect(thresholdsOf(1)).toEqual({ attention: 0, features: 0 });
    expect(thresholdsOf(0)).toEqual({ attention: 1, features: 1 });
  });

  it('injects in the first steps up to the threshold', () => {
    const steps = Array.from({ length: 50 }, (_, step) => injectionAt(thresholdsOf(0.5), step, 50));
    expect(steps.filter(({ attention }) => attention)).toHaveLength(25);
    expect(steps.filter(({ features }) => features)).toHaveLength(40);
    expect(steps[24]?.attention).toBe(true);
    expect(steps[25]?.attention).toBe(false);
  });

  it.each([
    [10, 0.9, 1, 1],
    [20, 0.9, 2, 3],
    [20, 0.8, 4, 6],
    [50, 0.9, 5, 8],
    [25, 0.65, 8, 14],
  ])(
    'of %i steps at strength %d: attention in %i, features in %i, as in decimals',
    (steps, strength, attention, features) => {
      const injected = Array.from({ length: steps }, (_, step) => injectionAt(thresholdsOf(strength), step, steps));
      expect(injected.filter((at) => at.attention)).toHaveLength(attention);
      expect(injected.filter((at) => at.features)).toHaveLength(features);
    },
  );
});

describe('SDEdit', () => {
  it('runs all steps at strength 1 and the last one at 0', () => {
    expect(sdeditStart(1, 50)).toBe(0);
    expect(sdeditStart(0, 50)).toBe(49);
    expect(sdeditStart(0.7, 50)).toBe(15);
  });

  it('never starts later with more strength, and always has a step to run', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (steps, a, b) => {
          const [weak, strong] = [Math.min(a, b), Math.max(a, b)];
          expect(sdeditStart(strong, steps)).toBeLessThanOrEqual(sdeditStart(weak, steps));
          expect(sdeditStart(weak, steps)).toBeLessThan(steps);
          expect(sdeditStart(strong, steps)).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});
