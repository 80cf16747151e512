// Inversion against the very steps of sampling: that the way back leads to the clip, and that the way up can be left and
// taken up again.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipOf, recordClip, settings, steps } from '../../../test/fast-clips.ts';
import { maxAbsError } from '../../../test/numbers.ts';
import { flatContext } from '../../../test/fake-denoiser.ts';
import { FakeFastDenoiser } from '../../../test/fake-fast-denoiser.ts';
import { HeldLatents } from './held-latents.ts';
import { MemoryRecords } from '../../../test/memory-records.ts';
import { randomTensor } from '../../../test/run-graph.ts';
import { stepDdim } from '../diffusion/ddim.ts';
import { createSchedule, type Schedule } from '../diffusion/schedule.ts';
import { parseSchedulerConfig } from '../diffusion/scheduler-config.ts';
import { takeRows, tensor, type Tensor } from '../tensor/tensor.ts';
import { drawKeyframes } from './keyframes.ts';
import { frameRange } from './latents.ts';
import { recordSource, type EarlierLooks, type RecordSourceOptions } from './record-source.ts';
import { scenesOf } from './scenes.ts';

const frames = 5;
const dims = [frames, 2, 1, 3];
const context = flatContext(0.1);
const clean = randomTensor(dims, 3);
const scheduleOf = (steps: number, prediction_type = 'epsilon') =>
  createSchedule(parseSchedulerConfig({ prediction_type }), steps);

/** The stores of an inversion, which outlive the one that is cut short. */
function storesOf(schedule: Schedule) {
  const empty = () => new HeldLatents(tensor(dims));
  return {
    current: [new HeldLatents(clean), empty()] as const,
    noise: [empty(), empty(), empty()] as const,
    kept: new Map(schedule.timesteps.map((t) => [t, empty()])),
    records: new MemoryRecords(),
  };
}

type Stores = ReturnType<typeof storesOf>;

function optionsFor(schedule: Schedule, forwardsPerStep: number, stores: Stores, startStep = 0) {
  const { current, noise, kept, records } = stores;
  const scenes = scenesOf(frames, [3]);
  return {
    denoiser: new FakeFastDenoiser(),
    schedule,
    forwardsPerStep,
    context,
    startStep,
    latents: current[startStep % 2 === 0 ? 0 : 1],
    spare: current[startStep % 2 === 0 ? 1 : 0],
    noiseAt: (step) => noise[(step % 3) as 0 | 1 | 2],
    keep: (t) => kept.get(t),
    recording: {
      store: records,
      stepAt: (t) => schedule.timesteps.indexOf(t),
      keyframesAt: (step) => drawKeyframes(7, step, scenes, 2),
      scenes,
    },
    chunkSize: 2,
  } satisfies RecordSourceOptions;
}

async function climb(options: RecordSourceOptions, until = Infinity): Promise<void> {
  for await (const step of recordSource(options)) if (step === until) return;
}

async function sampleBack(schedule: Schedule, from: Tensor): Promise<Tensor> {
  let latents = from;
  const denoiser = new FakeFastDenoiser();
  for (const t of schedule.timesteps) {
    latents = stepDdim(latents, await denoiser.predict(latents, t, context), t, schedule);
  }
  return latents;
}

/** The largest difference from the clip after the way there and back. */
async function lost(schedule: Schedule, forwardsPerStep: number): Promise<number> {
  const stores = storesOf(schedule);
  await climb({ ...optionsFor(schedule, forwardsPerStep, stores), recording: null });
  const top = stores.kept.get(schedule.timesteps[0] ?? NaN)?.tensor ?? clean;
  return maxAbsError((await sampleBack(schedule, top)).data, clean.data);
}

describe('inversion along the steps of sampling', () => {
  it.each(['epsilon', 'v_prediction'])(
    'is undone by sampling the better the more forwards it takes: %s',
    async (type) => {
      const schedule = scheduleOf(8, type);
      const losses = [];
      for (const forwards of [3, 6, 30]) losses.push(await lost(schedule, forwards));
      expect(losses).toEqual(losses.toSorted((a, b) => b - a));
      expect(losses.at(-1)).toBeLessThan(1e-3);
      expect(losses[0]).toBeGreaterThan(10 * (losses.at(-1) ?? Infinity));
    },
  );

  it('with one forward a step loses with the square of its size', async () => {
    // A quarter of the size, a sixteenth of the loss; at a first order it would be a quarter.
    const [some, more] = [await lost(scheduleOf(25), 1), await lost(scheduleOf(100), 1)];
    expect(more).toBeLessThan(some / 8);
  });

  it('looks at the very latents that it arrives at where the noise lies on a straight line', async () => {
    const schedule = scheduleOf(5);
    const stores = storesOf(schedule);
    const seen = new Map<number, Tensor>();
    class Straight extends FakeFastDenoiser {
      override predict(latents: Tensor, t: number): Promise<Tensor> {
        seen.set(t, latents);
        const noise = 0.5 * schedule.timesteps.indexOf(t) - 1;
        return Promise.resolve({ ...latents, data: latents.data.map(() => noise) });
      }
    }
    const options = { ...optionsFor(schedule, 1, stores), denoiser: new Straight(), chunkSize: frames };
    await climb({ ...options, recording: null });
    // The first two steps have no line yet.
    const upwards = schedule.timesteps.toReversed();
    const misses = upwards.map((t) => maxAbsError(seen.get(t)?.data ?? [], stores.kept.get(t)?.tensor.data ?? []));
    expect(Math.min(...misses.slice(0, 2))).toBeGreaterThan(1e-3);
    expect(Math.max(...misses.slice(2))).toBeLessThan(1e-5);
  });

  it('takes as many forwards of each frame as it is told', async () => {
    const schedule = scheduleOf(4);
    for (const forwards of [1, 2, 3]) {
      let seen = 0;
      class Counting extends FakeFastDenoiser {
        override predict(latents: Tensor, t: number, text: Tensor): Promise<Tensor> {
          seen += latents.dims[0] ?? 0;
          return super.predict(latents, t, text);
        }
      }
      // The fake's recording passes predict once themselves.
      await climb({ ...optionsFor(schedule, forwards, storesOf(schedule)), denoiser: new Counting() });
      expect(seen).toBe(4 * forwards * frames);
    }
  });

  it('does not look again at frames that an earlier walk has looked at, and goes by what that saw', async () => {
    const schedule = scheduleOf(6);
    const looked = [1, 4];
    const asked: (readonly number[])[] = [];
    /** It has seen what a straight line lets expect: these frames go on as if a look less had been told. */
    const looks: EarlierLooks = {
      at(_timestep, frames, anticipated) {
        const rows = frameRange(0, frames.length).filter((row) => looked.includes(frames[row] ?? -1));
        if (rows.length === 0 || anticipated === null) return Promise.resolve(null);
        asked.push(rows.map((row) => frames[row] ?? -1));
        return Promise.resolve({ rows, noise: takeRows(anticipated, rows) });
      },
    };
    const counted = async (options: RecordSourceOptions) => {
      let count = 0;
      const denoiser = new FakeFastDenoiser();
      const predict = (latents: Tensor, t: number, text: Tensor) => {
        count += latents.dims[0] ?? 0;
        return FakeFastDenoiser.prototype.predict.call(denoiser, latents, t, text);
      };
      await climb({ ...options, denoiser: Object.assign(new FakeFastDenoiser(), { predict }) });
      return count;
    };
    const top = (stores: Stores) => stores.kept.get(schedule.timesteps[0] ?? NaN)?.tensor ?? clean;
    const [whole, helped] = [storesOf(schedule), storesOf(schedule)];
    const without = await counted({ ...optionsFor(schedule, 2, whole), recording: null });
    const withLooks = await counted({ ...optionsFor(schedule, 2, helped), recording: null, looks });
    // At the lowest step there is nothing to go by.
    expect(asked.flat().sort()).toEqual([...Array<number>(5).fill(1), ...Array<number>(5).fill(4)]);
    expect(without - withLooks).toBe(2 * 5);
    const others = [0, 2, 3];
    expect(takeRows(top(helped), others)).toEqual(takeRows(top(whole), others));
    expect(takeRows(top(helped), looked)).not.toEqual(takeRows(top(whole), looked));
  });

  it('passes through the same latents whether it records or not', async () => {
    const schedule = scheduleOf(5);
    const [recorded, plain] = [storesOf(schedule), storesOf(schedule)];
    await climb(optionsFor(schedule, 2, recorded));
    await climb({ ...optionsFor(schedule, 2, plain), recording: null });
    for (const t of schedule.timesteps) expect(recorded.kept.get(t)).toEqual(plain.kept.get(t));
    expect(plain.records.records.size).toBe(0);
  });

  it('records only at the steps that sampling takes', async () => {
    const schedule = scheduleOf(5);
    const stores = storesOf(schedule);
    const options = optionsFor(schedule, 1, stores);
    const from2 = (t: number) => (schedule.timesteps.indexOf(t) < 2 ? null : schedule.timesteps.indexOf(t));
    await climb({ ...options, recording: { ...options.recording, stepAt: from2 } });
    const recorded = [0, 1, 2, 3, 4].filter((step) => stores.records.writesOf(step).length > 0);
    expect(recorded).toEqual([2, 3, 4]);
  });

  it.each([1, 2, 3, 4])('cut short in the middle of step %i, it goes on to the same latents', async (done) => {
    const schedule = scheduleOf(5);
    const [whole, cut] = [storesOf(schedule), storesOf(schedule)];
    await climb(optionsFor(schedule, 2, whole));
    await climb(optionsFor(schedule, 2, cut), done);
    // Half of the next step was written when it ended.
    class Failing extends FakeFastDenoiser {
      private calls = 0;
      override predict(latents: Tensor, t: number, text: Tensor): Promise<Tensor> {
        if (++this.calls > 4) return Promise.reject(new Error('killed'));
        return super.predict(latents, t, text);
      }
    }
    const dying = { ...optionsFor(schedule, 2, cut, done), denoiser: new Failing() };
    await expect(climb(dying)).rejects.toThrow('killed');
    await climb(optionsFor(schedule, 2, cut, done));
    for (const t of schedule.timesteps) expect(cut.kept.get(t)).toEqual(whole.kept.get(t));
    expect(cut.records.records).toEqual(whole.records.records);
    const all = frameRange(0, frames);
    expect(await cut.current[1].read(all)).toEqual(await whole.current[1].read(all));
  });

  it('that gives no number is an error', async () => {
    class Overflowing extends FakeFastDenoiser {
      override predict(latents: Tensor): Promise<Tensor> {
        return Promise.resolve({ ...latents, data: latents.data.map(() => NaN) });
      }
    }
    const schedule = scheduleOf(2);
    const options = { ...optionsFor(schedule, 1, storesOf(schedule)), denoiser: new Overflowing() };
    await expect(climb(options)).rejects.toMatchObject({ code: 'result-invalid' });
  });
});

describe('recording a clip of scenes', () => {
  it('takes every frame up once a step, and records those that are no keyframes once', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        const clip = clipOf(setting);
        const { store, even, odd, finished } = await recordClip(clip, setting.chunkSize);
        expect(finished).toBe(steps);
        const all = frameRange(0, setting.frames);
        for (const [writes, times] of [
          [odd.writes, 2],
          [even.writes, 1],
        ] as const) {
          expect([...writes].sort(([a], [b]) => a - b)).toEqual(all.map((frame) => [frame, times]));
        }
        for (let step = 0; step < steps; step++) {
          const keyframes = clip.keyframesAt(step);
          const expected = all.filter((frame) => !keyframes.includes(frame)).map((frame) => [frame, 1]);
          expect(store.writesOf(step)).toEqual(expected);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('gives the same for every chunk size', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        const clip = clipOf(setting);
        const whole = await recordClip(clip, setting.frames);
        const parts = await recordClip(clip, setting.chunkSize);
        expect(parts.odd.tensor).toEqual(whole.odd.tensor);
        expect(parts.store.records).toEqual(whole.store.records);
      }),
      { numRuns: 30 },
    );
  });
});
