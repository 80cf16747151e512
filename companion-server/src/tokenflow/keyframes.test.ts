import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../tensor/random.ts';
import { groupKeyframes, sampleKeyframes, withGivenKeyframes } from './keyframes.ts';

const frameCounts = fc.integer({ min: 1, max: 200 });
const intervals = fc.integer({ min: 1, max: 64 });
const draw = (seed: number) => {
  const random = createRandom(seed);
  return (limit: number) => random.below(limit);
};

describe('given keyframes', () => {
  const scenes = [
    { start: 0, end: 10 },
    { start: 10, end: 20 },
  ];

  it('take the place of those that are drawn in their runs, which begin anew in each scene', () => {
    const drawn = [2, 7, 9, 11, 14, 19];
    expect(withGivenKeyframes(drawn, [0, 3, 17], scenes, 4)).toEqual([0, 3, 7, 9, 11, 17, 19]);
    expect(withGivenKeyframes(drawn, [], scenes, 4)).toEqual(drawn);
    expect(withGivenKeyframes(drawn, [14], scenes, 4)).toEqual(drawn);
  });
});

describe('sampled keyframes', () => {
  it('are one of every run of frames, the last run may be shorter', () => {
    fc.assert(
      fc.property(frameCounts, intervals, fc.nat(), (frames, interval, seed) => {
        const keyframes = sampleKeyframes(frames, interval, draw(seed));
        expect(keyframes).toHaveLength(Math.ceil(frames / interval));
        for (const [run, keyframe] of keyframes.entries()) {
          expect(Math.floor(keyframe / interval)).toBe(run);
          expect(keyframe).toBeLessThan(frames);
        }
      }),
    );
  });

  it('are the same for the same seed, and differ from seed to seed', () => {
    expect(sampleKeyframes(97, 8, draw(1))).toEqual(sampleKeyframes(97, 8, draw(1)));
    expect(sampleKeyframes(97, 8, draw(1))).not.toEqual(sampleKeyframes(97, 8, draw(2)));
  });

  it('of a single frame are that frame', () => {
    expect(sampleKeyframes(1, 8, draw(1))).toEqual([0]);
  });
});

describe('groups of keyframes', () => {
  const keyframes = fc
    .uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 60 })
    .map((frames) => frames.sort((a, b) => a - b));
  const limits = fc.integer({ min: 1, max: 16 });
  const steps = fc.nat(1000);

  it('own every keyframe once, in order', () => {
    fc.assert(
      fc.property(keyframes, limits, steps, (all, limit, step) => {
        const groups = groupKeyframes(all, limit, step);
        expect(groups.flatMap(({ own }) => own)).toEqual(all);
        expect(groups.every(({ own }) => own.length > 0)).toBe(true);
      }),
    );
  });

  it('never hold more than the limit, nor a keyframe twice', () => {
    fc.assert(
      fc.property(keyframes, limits, steps, (all, limit, step) => {
        for (const { own, context } of groupKeyframes(all, limit, step)) {
          const together = [...own, ...context];
          expect(together.length).toBeLessThanOrEqual(limit);
          expect(new Set(together).size).toBe(together.length);
          expect(together.every((frame) => all.includes(frame))).toBe(true);
          expect(context).toEqual(context.toSorted((a, b) => a - b));
        }
      }),
    );
  });

  it('are one while the limit allows', () => {
    expect(groupKeyframes([3, 9, 17], 3, 5)).toEqual([{ own: [3, 9, 17], context: [] }]);
  });

  it('see their neighbours and the same anchors', () => {
    const all = Array.from({ length: 40 }, (_, i) => 10 * i);
    const groups = groupKeyframes(all, 8, 1);
    for (const [index, { own, context }] of groups.entries()) {
      const together = [...own, ...context];
      expect(together).toEqual(expect.arrayContaining([100, 300]));
      const before = groups[index - 1]?.own.at(-1);
      const after = groups[index + 1]?.own[0];
      for (const neighbour of [before, after]) {
        if (neighbour !== undefined) expect(together).toContain(neighbour);
      }
    }
  });

  it('end elsewhere from step to step, each place about as often', () => {
    const all = Array.from({ length: 100 }, (_, i) => i);
    const borders = Array.from({ length: 100 }, (_, step) =>
      groupKeyframes(all, 16, step)
        .slice(1)
        .map(({ own }) => own[0] ?? NaN),
    );
    for (const [step, here] of borders.entries()) expect(here).not.toEqual(borders[step + 1]);
    // Ten keyframes to a run: in a hundred steps each place is a border about ten times.
    for (const place of all.slice(10)) {
      const times = borders.filter((here) => here.includes(place)).length;
      expect(Math.abs(times - 10)).toBeLessThanOrEqual(2);
    }
  });
});
