// A clip under noise instead of its inversion, for drafts and models of few steps.

import { describe, expect, it } from 'vitest';
import { maxAbsError } from '../../../test/numbers.ts';
import { FakeDenoiser } from '../../../test/fake-denoiser.ts';
import { addNoise } from '../diffusion/ddim.ts';
import { stepDown } from '../diffusion/sampling-step.ts';
import { createSchedule, type Schedule } from '../diffusion/schedule.ts';
import { timestepNoise } from '../diffusion/seeded-noise.ts';
import { parseSchedulerConfig } from '../diffusion/scheduler-config.ts';
import { takeRows, tensor } from '../tensor/tensor.ts';
import { InMemoryLatents } from './in-memory-latents.ts';
import { frameRange } from './latents.ts';
import type { NoisedClip } from './inversion.ts';
import {
  frames,
  dims,
  conditioning,
  clean,
  scheduleOf,
  storesOf,
  optionsFor,
  cacheIn,
  runInversion,
} from '../../../test/memory-inversion.ts';

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
