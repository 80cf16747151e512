// Made-up clips through the fast schedule: recorded, then sampled, with a fake network.

import fc from 'fast-check';
import { flatContexts } from './fake-denoiser.ts';
import { FakeFastDenoiser } from './fake-fast-denoiser.ts';
import { CountingLatents } from './counting-latents.ts';
import { HeldLatents } from '../companion-server/src/tokenflow/held-latents.ts';
import { MemoryRecords } from './memory-records.ts';
import { randomTensor } from './run-graph.ts';
import { createSchedule } from '../companion-server/src/diffusion/schedule.ts';
import { parseSchedulerConfig } from '../companion-server/src/diffusion/scheduler-config.ts';
import { sliceRows, tensor, type Tensor } from '../companion-server/src/tensor/tensor.ts';
import {
  sampleFast,
  type FastSamplerOptions,
  type FrameGuidance,
} from '../companion-server/src/tokenflow/fast-sampler.ts';
import { drawKeyframes } from '../companion-server/src/tokenflow/keyframes.ts';
import { frameRange } from '../companion-server/src/tokenflow/latents.ts';
import { recordSource, type Recording } from '../companion-server/src/tokenflow/record-source.ts';
import { scenesOf, type Scene } from '../companion-server/src/tokenflow/scenes.ts';

export const latentDims = [2, 1, 3];
export const schedule = createSchedule(parseSchedulerConfig({}), 3);
export const steps = 3;
export interface Setting {
  readonly frames: number;
  readonly interval: number;
  readonly chunkSize: number;
  readonly jointLimit: number;
  readonly cuts: readonly number[];
  readonly guidance: number;
  readonly frameGuidance: FrameGuidance;
}

export const settings: fc.Arbitrary<Setting> = fc
  .record({
    frames: fc.integer({ min: 1, max: 23 }),
    interval: fc.integer({ min: 1, max: 9 }),
    chunkSize: fc.integer({ min: 1, max: 8 }),
    jointLimit: fc.integer({ min: 1, max: 8 }),
    cuts: fc.uniqueArray(fc.integer({ min: 1, max: 22 }), { maxLength: 3 }),
    guidance: fc.constantFrom(1, 2),
    frameGuidance: fc.constantFrom('own', 'carried'),
  })
  .map(({ cuts, ...rest }) => ({
    ...rest,
    cuts: cuts.filter((cut) => cut < rest.frames).sort((a, b) => a - b),
  }));

export interface Clip {
  readonly scenes: readonly Scene[];
  readonly keyframesAt: (step: number) => readonly number[];
  /** The clip's own latents, and those that sampling begins with. */
  readonly clean: Tensor;
  readonly noise: Tensor;
}

export function clipOf({ frames, interval, cuts }: Setting): Clip {
  const scenes = scenesOf(frames, cuts);
  return {
    scenes,
    keyframesAt: (step) => drawKeyframes(7, step, scenes, interval),
    clean: randomTensor([frames, ...latentDims], 2),
    noise: randomTensor([frames, ...latentDims], 3),
  };
}

/** One scene of the clip as a clip of its own, with the same keyframes. */
export function sceneOf({ keyframesAt, clean, noise }: Clip, { start, end }: Scene): Clip {
  return {
    scenes: scenesOf(end - start, []),
    keyframesAt: (step) =>
      keyframesAt(step)
        .filter((k) => k >= start && k < end)
        .map((k) => k - start),
    clean: sliceRows(clean, start, end),
    noise: sliceRows(noise, start, end),
  };
}

/** What is recorded of a clip, and where its inversion passed. */
export async function recordClip(clip: Clip, chunkSize: number, denoiser = new FakeFastDenoiser()) {
  const { clean, scenes, keyframesAt } = clip;
  const store = new MemoryRecords();
  const stepAt = (timestep: number) => schedule.timesteps.indexOf(timestep);
  const recording: Recording = { store, stepAt, keyframesAt, scenes };
  const trajectory = new Map(schedule.timesteps.map((t) => [t, new HeldLatents(tensor(clean.dims))]));
  const [even, odd] = [new CountingLatents(clean), new CountingLatents(tensor(clean.dims))];
  const noise = [0, 1, 2].map(() => new HeldLatents(tensor(clean.dims)));
  const walk = recordSource({
    denoiser,
    schedule,
    context: flatContexts.source,
    chunkSize,
    recording,
    startStep: 0,
    forwardsPerStep: 2,
    latents: even,
    spare: odd,
    noiseAt: (step) => noise[step % 3] ?? even,
    keep: (timestep) => trajectory.get(timestep),
  });
  let finished = 0;
  for await (const step of walk) finished = step;
  const at = (timestep: number) => trajectory.get(timestep) ?? even;
  return { store, source: { at }, even, odd, finished };
}

export interface Chosen {
  readonly chunkSize: number;
  readonly jointLimit: number;
  readonly guidance: number;
  readonly frameGuidance: FrameGuidance;
}

export async function optionsFor(
  clip: Clip,
  { chunkSize, jointLimit, guidance, frameGuidance }: Chosen,
  denoiser = new FakeFastDenoiser(),
) {
  const { store, source } = await recordClip(clip, chunkSize);
  return {
    denoiser,
    schedule,
    contexts: flatContexts,
    frameGuidance,
    chunkSize,
    jointLimit,
    scenes: clip.scenes,
    keyframesAt: clip.keyframesAt,
    source,
    records: store,
    startStep: 0,
    guidanceAt: () => guidance,
    // Attention in the first of three steps, features in the first two.
    thresholds: { attention: 0.4, features: 0.7 },
    latents: new CountingLatents(clip.noise),
    spare: new CountingLatents(tensor(clip.noise.dims)),
  };
}

export async function run(options: FastSamplerOptions): Promise<Tensor> {
  let latents = options.latents;
  for await (const step of sampleFast(options)) ({ latents } = step);
  return latents.read(frameRange(0, latents.frameCount));
}

export const editOf = async (clip: Clip, chosen: Chosen): Promise<Tensor> => run(await optionsFor(clip, chosen));
