// A clip of random latents that is inverted and edited on the fake network, for tests of the algorithm.

import { createSchedule, type Schedule } from '../companion-server/src/diffusion/schedule.ts';
import { parseSchedulerConfig } from '../companion-server/src/diffusion/scheduler-config.ts';
import { sliceRows, tensor, type Tensor } from '../companion-server/src/tensor/tensor.ts';
import { InMemoryLatents } from '../companion-server/src/tokenflow/in-memory-latents.ts';
import { injectionAt } from '../companion-server/src/techniques/plug-and-play.ts';
import { invert } from '../companion-server/src/tokenflow/inversion.ts';
import { drawKeyframes } from '../companion-server/src/tokenflow/keyframes.ts';
import { frameRange } from '../companion-server/src/tokenflow/latents.ts';
import type { PropagationRule } from '../companion-server/src/tokenflow/keyframe-neighbours.ts';
import { sample, type SamplerOptions } from '../companion-server/src/tokenflow/sampler.ts';
import { scenesOf, type Scene } from '../companion-server/src/tokenflow/scenes.ts';
import type { FrameGuidance, SourceMode } from '../companion-server/src/tokenflow/step-passes.ts';
import { CountingLatents } from './counting-latents.ts';
import { FakeDenoiser, flatBranches } from './fake-denoiser.ts';
import { MemoryCorrespondences } from './memory-correspondences.ts';
import { randomTensor } from './run-graph.ts';

export const latentDims = [2, 1, 3];
export const steps = 3;
export const schedule: Schedule = createSchedule(parseSchedulerConfig({}), steps);

/** How a clip is edited. */
export interface Chosen {
  readonly sourceMode: SourceMode;
  readonly propagation: PropagationRule;
  readonly interval: number;
  readonly chunkSize: number;
  readonly maxLatents: number;
  readonly extendedLimit: number;
  readonly guidance: number;
  readonly frameGuidance: FrameGuidance;
}

export interface Clip {
  readonly scenes: readonly Scene[];
  readonly keyframesAt: (step: number) => readonly number[];
  /** The clip's own latents, and those that sampling begins with. */
  readonly clean: Tensor;
  readonly noise: Tensor;
}

export function clipOf(frames: number, interval: number, cuts: readonly number[] = []): Clip {
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

/** Inverts the clip and keeps where the inversion passed, and its correspondences. */
export async function invertClip({ clean, scenes, keyframesAt }: Clip, chunkSize: number) {
  const store = new MemoryCorrespondences();
  const stepAt = (timestep: number) => schedule.timesteps.indexOf(timestep);
  const trajectory = new Map(schedule.timesteps.map((t) => [t, new InMemoryLatents(tensor(clean.dims))]));
  const [even, odd] = [new CountingLatents(clean), new CountingLatents(tensor(clean.dims))];
  const noise = [0, 1, 2].map(() => new InMemoryLatents(tensor(clean.dims)));
  const walk = invert({
    denoiser: new FakeDenoiser(),
    schedule,
    conditioning: flatBranches.source,
    chunkSize,
    startStep: 0,
    method: {
      name: 'fixed-point',
      iterations: 2,
      noiseAt: (step) => noise[step % 3] ?? even,
      earlier: null,
      cache: { store, stepAt, keyframesAt, scenes },
    },
    latents: even,
    next: odd,
    keep: (timestep) => trajectory.get(timestep),
  });
  let finished = 0;
  for await (const step of walk) finished = step;
  const at = (timestep: number) => trajectory.get(timestep) ?? even;
  return { store, trajectory: { at }, even, odd, finished };
}

export async function samplerOptions(clip: Clip, chosen: Chosen, denoiser = new FakeDenoiser()) {
  const { sourceMode, propagation, interval, chunkSize, maxLatents, extendedLimit, guidance, frameGuidance } = chosen;
  const { store, trajectory: latents } = await invertClip(clip, chunkSize);
  const clean = new InMemoryLatents(clip.clean);
  const source =
    sourceMode === 'cached'
      ? ({ mode: 'cached', latents, clean, correspondences: store } as const)
      : { mode: sourceMode, latents, clean };
  return {
    denoiser,
    schedule,
    conditioning: flatBranches,
    source,
    propagation,
    frameGuidance,
    chunkSize,
    maxLatents,
    extendedLimit,
    scenes: clip.scenes,
    keyframesAt: clip.keyframesAt,
    keyframeInterval: interval,
    startStep: 0,
    guidanceAt: () => guidance,
    // Attention in the first of three steps, features in the first two.
    injectionAt: (step) => injectionAt({ attention: 0.4, features: 0.7 }, step, steps),
    latents: new CountingLatents(clip.noise),
    next: new CountingLatents(tensor(clip.noise.dims)),
  } satisfies SamplerOptions;
}

/** The edited latents. */
export async function runSampler(options: SamplerOptions): Promise<Tensor> {
  let latents = options.latents;
  for await (const step of sample(options)) ({ latents } = step);
  return latents.read(frameRange(0, latents.frameCount));
}

export async function editOf(clip: Clip, chosen: Chosen): Promise<Tensor> {
  return runSampler(await samplerOptions(clip, chosen));
}
