// What an inversion caches of a clip's correspondences, for any clip with any cuts.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipOf, invertClip, steps as clipSteps } from '../../../test/edited-clip.ts';
import { frameRange } from './latents.ts';

describe('the cached correspondences', () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 22 }), { maxLength: 3 });
  const numbers = { frames: fc.integer({ min: 1, max: 23 }), interval: fc.integer({ min: 1, max: 9 }) };
  const clips = fc.record({ ...numbers, cuts, chunkSize: fc.integer({ min: 1, max: 8 }) }).map((setting) => ({
    ...setting,
    clip: clipOf(
      setting.frames,
      setting.interval,
      setting.cuts.filter((cut) => cut < setting.frames).sort((a, b) => a - b),
    ),
  }));

  it('are those of frames that are no keyframes; every frame goes up once a step', async () => {
    await fc.assert(
      fc.asyncProperty(clips, async ({ clip, frames: count, chunkSize }) => {
        const { store, even, odd, finished } = await invertClip(clip, chunkSize);
        expect(finished).toBe(clipSteps);
        const all = frameRange(0, count);
        for (const [writes, times] of [
          [odd.writes, 2],
          [even.writes, 1],
        ] as const) {
          expect([...writes].sort(([a], [b]) => a - b)).toEqual(all.map((frame) => [frame, times]));
        }
        for (let step = 0; step < clipSteps; step++) {
          const keyframes = clip.keyframesAt(step);
          const expected = all.filter((frame) => !keyframes.includes(frame)).map((frame) => [frame, 1]);
          expect(store.writesOf(step)).toEqual(expected);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('are the same for every chunk size', async () => {
    await fc.assert(
      fc.asyncProperty(clips, async ({ clip, frames: count, chunkSize }) => {
        const whole = await invertClip(clip, count);
        const parts = await invertClip(clip, chunkSize);
        expect(parts.odd.tensor).toEqual(whole.odd.tensor);
        expect(parts.store.written).toEqual(whole.store.written);
      }),
      { numRuns: 30 },
    );
  });
});
