// An inversion on a fake network with stores in memory, for tests.

import { maxAbsError } from './numbers.ts';
import { FakeDenoiser, flatConditioning } from './fake-denoiser.ts';
import { MemoryCorrespondences } from './memory-correspondences.ts';
import { randomTensor } from './run-graph.ts';
import { stepDdim } from '../companion-server/src/diffusion/ddim.ts';
import { createSchedule, type Schedule } from '../companion-server/src/diffusion/schedule.ts';
import { parseSchedulerConfig } from '../companion-server/src/diffusion/scheduler-config.ts';
import { tensor, type Tensor } from '../companion-server/src/tensor/tensor.ts';
import { InMemoryLatents } from '../companion-server/src/tokenflow/in-memory-latents.ts';
import { invert, type FixedPoint, type InversionOptions } from '../companion-server/src/tokenflow/inversion.ts';
import { drawKeyframes } from '../companion-server/src/tokenflow/keyframes.ts';
import { scenesOf } from '../companion-server/src/tokenflow/scenes.ts';

/** Of the clip. */
export const frames = 5;
/** Of its latents, [frames, C, h, w]. */
export const dims = [frames, 2, 1, 3];
export const conditioning = flatConditioning(0.1);
/** The clip's own latents. */
export const clean = randomTensor(dims, 3);
/** Of so many steps, with the usual betas. */
export const scheduleOf = (steps: number, prediction_type = 'epsilon') =>
  createSchedule(parseSchedulerConfig({ prediction_type }), steps);

/** The stores of an inversion, which outlive the one that is cut short. */
export function storesOf(schedule: Schedule) {
  const empty = () => new InMemoryLatents(tensor(dims));
  return {
    current: [new InMemoryLatents(clean), empty()] as const,
    noise: [empty(), empty(), empty()] as const,
    kept: new Map(schedule.timesteps.map((t) => [t, empty()])),
    correspondences: new MemoryCorrespondences(),
  };
}

export type Stores = ReturnType<typeof storesOf>;

/** Of a fixed-point inversion; without a cache unless one is asked for. */
export function optionsFor(
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

/** A cache of correspondences in the stores, of a clip with a cut before frame 3 and a keyframe in every two frames. */
export function cacheIn(schedule: Schedule, { correspondences }: Stores) {
  const scenes = scenesOf(frames, [3]);
  return {
    store: correspondences,
    stepAt: (t: number) => schedule.timesteps.indexOf(t),
    keyframesAt: (step: number) => drawKeyframes(7, step, scenes, 2),
    scenes,
  };
}

/** All of it, or until step `until` is done, as a process that is ended then. */
export async function runInversion(options: InversionOptions, until = Infinity): Promise<void> {
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
export async function lost(schedule: Schedule, iterations: number): Promise<number> {
  const stores = storesOf(schedule);
  await runInversion(optionsFor(schedule, iterations, stores));
  const top = stores.kept.get(schedule.timesteps[0] ?? NaN)?.tensor ?? clean;
  return maxAbsError((await sampleBack(schedule, top)).data, clean.data);
}
