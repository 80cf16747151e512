// Fixed-point inversion on a fake network: that the way back leads to the clip, and that the way up can be left and taken up
// again.

import { describe, expect, it } from 'vitest';
import { maxAbsError } from '../../../test/numbers.ts';
import { FakeDenoiser } from '../../../test/fake-denoiser.ts';
import type { Conditioning } from '../nets/conditioning.ts';
import { takeRows, type Tensor } from '../tensor/tensor.ts';
import { frameRange } from './latents.ts';
import type { EarlierPredictions, InversionOptions } from './inversion.ts';
import {
  frames,
  clean,
  scheduleOf,
  storesOf,
  optionsFor,
  cacheIn,
  runInversion,
  lost,
  type Stores,
} from '../../../test/memory-inversion.ts';

describe('fixed-point inversion', () => {
  it.each(['epsilon', 'v_prediction'])(
    'is undone by sampling the better the more iterations it takes: %s',
    async (type) => {
      const schedule = scheduleOf(8, type);
      const losses = [];
      for (const forwards of [3, 6, 30]) losses.push(await lost(schedule, forwards));
      expect(losses).toEqual(losses.toSorted((a, b) => b - a));
      expect(losses.at(-1)).toBeLessThan(1e-3);
      expect(losses[0]).toBeGreaterThan(10 * (losses.at(-1) ?? Infinity));
    },
  );

  it('with one iteration a step loses with the square of its size', async () => {
    // A quarter of the size, a sixteenth of the loss; at a first order it would be a quarter.
    const [some, more] = [await lost(scheduleOf(25), 1), await lost(scheduleOf(100), 1)];
    expect(more).toBeLessThan(some / 8);
  });

  it('looks at the very latents that it arrives at where the noise lies on a straight line', async () => {
    const schedule = scheduleOf(5);
    const stores = storesOf(schedule);
    const seen = new Map<number, Tensor>();
    class Straight extends FakeDenoiser {
      override predict(latents: Tensor, t: number): Promise<Tensor> {
        seen.set(t, latents);
        const noise = 0.5 * schedule.timesteps.indexOf(t) - 1;
        return Promise.resolve({ ...latents, data: latents.data.map(() => noise) });
      }
    }
    const options = { ...optionsFor(schedule, 1, stores), denoiser: new Straight(), chunkSize: frames };
    await runInversion(options);
    // The first two steps have no line yet.
    const upwards = schedule.timesteps.toReversed();
    const misses = upwards.map((t) => maxAbsError(seen.get(t)?.data ?? [], stores.kept.get(t)?.tensor.data ?? []));
    expect(Math.min(...misses.slice(0, 2))).toBeGreaterThan(1e-3);
    expect(Math.max(...misses.slice(2))).toBeLessThan(1e-5);
  });

  it('evaluates each frame as often as it is told', async () => {
    const schedule = scheduleOf(4);
    for (const forwards of [1, 2, 3]) {
      let seen = 0;
      class Counting extends FakeDenoiser {
        override predict(latents: Tensor, t: number, text: Conditioning): Promise<Tensor> {
          seen += latents.dims[0] ?? 0;
          return super.predict(latents, t, text);
        }
      }
      const stores = storesOf(schedule);
      const options = optionsFor(schedule, forwards, stores, { cache: cacheIn(schedule, stores) });
      await runInversion({ ...options, denoiser: new Counting() });
      expect(seen).toBe(4 * forwards * frames);
    }
  });

  it('does not evaluate again what an earlier inversion has predicted, and goes by that', async () => {
    const schedule = scheduleOf(6);
    const looked = [1, 4];
    const asked: (readonly number[])[] = [];
    /** It predicted what a straight line lets expect: these frames go on as with an iteration less. */
    const earlier: EarlierPredictions = {
      at(_timestep, frames, extrapolated) {
        const rows = frameRange(0, frames.length).filter((row) => looked.includes(frames[row] ?? -1));
        if (rows.length === 0 || extrapolated === null) return Promise.resolve(null);
        asked.push(rows.map((row) => frames[row] ?? -1));
        return Promise.resolve({ rows, noise: takeRows(extrapolated, rows) });
      },
    };
    const counted = async (options: InversionOptions) => {
      let count = 0;
      const denoiser = new FakeDenoiser();
      const predict = (latents: Tensor, t: number, text: Conditioning) => {
        count += latents.dims[0] ?? 0;
        return FakeDenoiser.prototype.predict.call(denoiser, latents, t, text);
      };
      await runInversion({ ...options, denoiser: Object.assign(new FakeDenoiser(), { predict }) });
      return count;
    };
    const top = (stores: Stores) => stores.kept.get(schedule.timesteps[0] ?? NaN)?.tensor ?? clean;
    const [whole, helped] = [storesOf(schedule), storesOf(schedule)];
    const without = await counted(optionsFor(schedule, 2, whole));
    const withEarlier = await counted(optionsFor(schedule, 2, helped, { earlier }));
    // At the lowest step there is nothing to go by.
    expect(asked.flat().sort()).toEqual([...Array<number>(5).fill(1), ...Array<number>(5).fill(4)]);
    expect(without - withEarlier).toBe(2 * 5);
    const others = [0, 2, 3];
    expect(takeRows(top(helped), others)).toEqual(takeRows(top(whole), others));
    expect(takeRows(top(helped), looked)).not.toEqual(takeRows(top(whole), looked));
  });

  it('passes through the same latents whether it caches correspondences or not', async () => {
    const schedule = scheduleOf(5);
    const [cached, plain] = [storesOf(schedule), storesOf(schedule)];
    await runInversion(optionsFor(schedule, 2, cached, { cache: cacheIn(schedule, cached) }));
    await runInversion(optionsFor(schedule, 2, plain));
    for (const t of schedule.timesteps) expect(cached.kept.get(t)).toEqual(plain.kept.get(t));
    expect(plain.correspondences.written.size).toBe(0);
  });

  it('caches correspondences only of the steps that sampling takes', async () => {
    const schedule = scheduleOf(5);
    const stores = storesOf(schedule);
    const from2 = (t: number) => (schedule.timesteps.indexOf(t) < 2 ? null : schedule.timesteps.indexOf(t));
    const cache = { ...cacheIn(schedule, stores), stepAt: from2 };
    await runInversion(optionsFor(schedule, 1, stores, { cache }));
    const written = [0, 1, 2, 3, 4].filter((step) => stores.correspondences.writesOf(step).length > 0);
    expect(written).toEqual([2, 3, 4]);
  });

  it.each([1, 2, 3, 4])('cut short in the middle of step %i, it goes on to the same latents', async (done) => {
    const schedule = scheduleOf(5);
    const [whole, cut] = [storesOf(schedule), storesOf(schedule)];
    const into = (stores: Stores, startStep = 0) =>
      optionsFor(schedule, 2, stores, { startStep, cache: cacheIn(schedule, stores) });
    await runInversion(into(whole));
    await runInversion(into(cut), done);
    // Half of the next step was written when it ended.
    class Failing extends FakeDenoiser {
      private calls = 0;
      override predict(latents: Tensor, t: number, text: Conditioning): Promise<Tensor> {
        if (++this.calls > 4) return Promise.reject(new Error('killed'));
        return super.predict(latents, t, text);
      }
    }
    const dying = { ...into(cut, done), denoiser: new Failing() };
    await expect(runInversion(dying)).rejects.toThrow('killed');
    await runInversion(into(cut, done));
    for (const t of schedule.timesteps) expect(cut.kept.get(t)).toEqual(whole.kept.get(t));
    expect(cut.correspondences.written).toEqual(whole.correspondences.written);
    const all = frameRange(0, frames);
    expect(await cut.current[1].read(all)).toEqual(await whole.current[1].read(all));
  });

  it('that gives no number is an error', async () => {
    class Overflowing extends FakeDenoiser {
      override predict(latents: Tensor): Promise<Tensor> {
        return Promise.resolve({ ...latents, data: latents.data.map(() => NaN) });
      }
    }
    const schedule = scheduleOf(2);
    const options = { ...optionsFor(schedule, 1, storesOf(schedule)), denoiser: new Overflowing() };
    await expect(runInversion(options)).rejects.toMatchObject({ code: 'result-invalid' });
  });
});
