// Inversion on a fake network: that the way back leads to the clip, and that the way up can be left and taken up again.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxAbsError } from '../../../test/numbers.ts';
import { clipOf, invertClip, steps as clipSteps } from '../../../test/edited-clip.ts';
import { FakeDenoiser, flatConditioning } from '../../../test/fake-denoiser.ts';
import { InMemoryLatents } from './in-memory-latents.ts';
import { MemoryCorrespondences } from '../../../test/memory-correspondences.ts';
import { randomTensor } from '../../../test/run-graph.ts';
import { addNoise, invertDdimStep, stepDdim } from '../diffusion/ddim.ts';
import { stepDown } from '../diffusion/sampling-step.ts';
import { createSchedule, type Schedule } from '../diffusion/schedule.ts';
import { timestepNoise } from '../diffusion/seeded-noise.ts';
import { parseSchedulerConfig } from '../diffusion/scheduler-config.ts';
import type { Conditioning } from '../nets/conditioning.ts';
import { takeRows, tensor, type Tensor } from '../tensor/tensor.ts';
import { drawKeyframes } from './keyframes.ts';
import { frameRange } from './latents.ts';
import {
  invert,
  type EarlierPredictions,
  type FixedPoint,
  type InversionOptions,
  type NoisedClip,
} from './inversion.ts';
import { scenesOf } from './scenes.ts';

const frames = 5;
const dims = [frames, 2, 1, 3];
const conditioning = flatConditioning(0.1);
const clean = randomTensor(dims, 3);
const scheduleOf = (steps: number, prediction_type = 'epsilon') =>
  createSchedule(parseSchedulerConfig({ prediction_type }), steps);

/** The stores of an inversion, which outlive the one that is cut short. */
function storesOf(schedule: Schedule) {
  const empty = () => new InMemoryLatents(tensor(dims));
  return {
    current: [new InMemoryLatents(clean), empty()] as const,
    noise: [empty(), empty(), empty()] as const,
    kept: new Map(schedule.timesteps.map((t) => [t, empty()])),
    correspondences: new MemoryCorrespondences(),
  };
}

type Stores = ReturnType<typeof storesOf>;

/** Of a fixed-point inversion; without a cache unless one is asked for. */
function optionsFor(
  schedule: Schedule,
  iterations: number,
  stores: Stores,
  { startStep = 0, ...change }: { readonly startStep?: number } & Partial<FixedPoint> = {},
) {
  const { current, noise, kept } = stores;
  return {
    denoiser: new FakeDenoiser(),
    schedule,
    conditioning,
    startStep,
    method: {
      name: 'fixed-point',
      iterations,
      noiseAt: (step) => noise[(step % 3) as 0 | 1 | 2],
      earlier: null,
      cache: null,
      ...change,
    },
    latents: current[startStep % 2 === 0 ? 0 : 1],
    next: current[startStep % 2 === 0 ? 1 : 0],
    keep: (t) => kept.get(t),
    chunkSize: 2,
  } satisfies InversionOptions;
}

function cacheIn(schedule: Schedule, { correspondences }: Stores) {
  const scenes = scenesOf(frames, [3]);
  return {
    store: correspondences,
    stepAt: (t: number) => schedule.timesteps.indexOf(t),
    keyframesAt: (step: number) => drawKeyframes(7, step, scenes, 2),
    scenes,
  };
}

async function runInversion(options: InversionOptions, until = Infinity): Promise<void> {
  for await (const step of invert(options)) if (step === until) return;
}

async function sampleBack(schedule: Schedule, from: Tensor): Promise<Tensor> {
  let latents = from;
  const denoiser = new FakeDenoiser();
  for (const t of schedule.timesteps) {
    latents = stepDdim(latents, await denoiser.predict(latents, t, conditioning), t, schedule);
  }
  return latents;
}

/** The largest difference from the clip after inversion and sampling. */
async function lost(schedule: Schedule, iterations: number): Promise<number> {
  const stores = storesOf(schedule);
  await runInversion(optionsFor(schedule, iterations, stores));
  const top = stores.kept.get(schedule.timesteps[0] ?? NaN)?.tensor ?? clean;
  return maxAbsError((await sampleBack(schedule, top)).data, clean.data);
}

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

describe('DDIM inversion', () => {
  const schedule = scheduleOf(3);
  const options = {
    denoiser: new FakeDenoiser(),
    schedule,
    conditioning,
    startStep: 0,
    method: { name: 'ddim' },
  } as const;

  it('walks up the timesteps in place and keeps the latents of those that are wanted', async () => {
    const wanted = schedule.timesteps.slice(1);
    const kept = new Map(wanted.map((timestep) => [timestep, new InMemoryLatents(tensor(dims))]));
    const latents = new InMemoryLatents(clean);
    const after: Tensor[] = [];
    const run = invert({ ...options, latents, next: latents, keep: (timestep) => kept.get(timestep), chunkSize: 2 });
    for await (const step of run) {
      after.push(new InMemoryLatents(latents.tensor).tensor);
      expect(step).toBe(after.length);
    }
    for (const [index, timestep] of schedule.timesteps.toReversed().entries()) {
      expect(kept.get(timestep)?.tensor).toEqual(wanted.includes(timestep) ? after[index] : undefined);
    }
  });

  it('takes the step that the prediction at the latents below gives', async () => {
    const latents = new InMemoryLatents(clean);
    const t = schedule.timesteps.at(-1) ?? NaN;
    const prediction = await new FakeDenoiser().predict(clean, t, conditioning);
    await runInversion({ ...options, latents, next: latents, keep: () => undefined, chunkSize: 2 }, 1);
    expect(latents.tensor).toEqual(invertDdimStep(clean, prediction, t, schedule));
  });

  it('does not depend on the chunk size', async () => {
    const results = [];
    for (const chunkSize of [1, 2, 5, 9]) {
      const latents = new InMemoryLatents(clean);
      await runInversion({ ...options, latents, next: latents, keep: () => undefined, chunkSize });
      results.push(latents.tensor);
    }
    for (const result of results) expect(result).toEqual(results[0]);
  });

  it('that gives no number is an error', async () => {
    class Overflowing extends FakeDenoiser {
      override predict(latents: Tensor): Promise<Tensor> {
        return Promise.resolve({ ...latents, data: latents.data.map(() => NaN) });
      }
    }
    const latents = new InMemoryLatents(clean);
    const run = {
      ...options,
      denoiser: new Overflowing(),
      latents,
      next: latents,
      keep: () => undefined,
      chunkSize: 2,
    };
    await expect(runInversion(run)).rejects.toMatchObject({ code: 'result-invalid' });
  });
});

describe('a noised clip', () => {
  const solvers = [{}, { _class_name: 'LCMScheduler' }, { _class_name: 'TCDScheduler', set_alpha_to_one: false }];
  const noised = (schedule: Schedule) => {
    const stores = storesOf(schedule);
    const residuals = new Map(schedule.timesteps.map((t) => [t, new InMemoryLatents(tensor(dims))]));
    const residualAt = (t: number) => {
      const found = residuals.get(t);
      if (found === undefined) throw new RangeError(`There is no residual at ${t}.`);
      return found;
    };
    const noiseAt = (t: number, count: number) => timestepNoise(t, count, dims.slice(1));
    const cache = cacheIn(schedule, stores);
    const source = new InMemoryLatents(clean);
    const method: NoisedClip = { name: 'noised', clean: source, noiseAt, residualAt, cache };
    const from = (startStep: number) => ({ ...optionsFor(schedule, 1, stores, { startStep }), method });
    return { stores, residualAt, noiseAt, from };
  };

  it.each(solvers)('is found again exactly by steps that add what was missed, in however few: %j', async (fields) => {
    const schedule = createSchedule(parseSchedulerConfig({ ...fields, prediction_type: 'v_prediction' }), 3);
    const { stores, residualAt, from } = noised(schedule);
    await runInversion(from(0));
    const denoiser = new FakeDenoiser();
    let latents = stores.kept.get(schedule.timesteps[0] ?? NaN)?.tensor ?? clean;
    expect(maxAbsError(latents.data, clean.data)).toBeGreaterThan(0.5);
    for (const t of schedule.timesteps) {
      const moved = stepDown(latents, await denoiser.predict(latents, t, conditioning), t, schedule);
      const missed = await residualAt(t).read(frameRange(0, frames));
      latents = { dims, data: moved.data.map((value, i) => value + (missed.data[i] ?? NaN)) };
    }
    expect(latents.data).toBeAllClose(clean.data, { atol: 1e-5 });
  });

  it('has noise of each timestep that all frames share, and costs one forward per frame and step', async () => {
    const schedule = scheduleOf(4);
    const { stores, noiseAt, from } = noised(schedule);
    const options = from(0);
    await runInversion(options);
    for (const t of schedule.timesteps) {
      const expected = addNoise(clean, noiseAt(t, frames), t, schedule);
      expect(stores.kept.get(t)?.tensor.data).toEqual(expected.data);
    }
    const [first, second] = [noiseAt(999, 2), noiseAt(499, 2)];
    expect(takeRows(first, [0])).toEqual(takeRows(first, [1]));
    expect(maxAbsError(first.data, second.data)).toBeGreaterThan(0.1);
    expect(options.denoiser.passes.reduce((sum, pass) => sum + pass.frames, 0)).toBe(4 * frames);
  });

  it('is the same when its making was interrupted', async () => {
    const schedule = scheduleOf(4);
    const whole = noised(schedule);
    await runInversion(whole.from(0));
    const cut = noised(schedule);
    await runInversion(cut.from(0), 2);
    await runInversion(cut.from(2));
    for (const t of schedule.timesteps) {
      expect(cut.stores.kept.get(t)?.tensor).toEqual(whole.stores.kept.get(t)?.tensor);
      expect(await cut.residualAt(t).read(frameRange(0, frames))).toEqual(
        await whole.residualAt(t).read(frameRange(0, frames)),
      );
    }
  });
});
