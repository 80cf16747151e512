// From a clip's latents up into noise, frame by frame, with the prompt of what the clip shows and without guidance. An
// edit takes its source branch from it (arXiv 2307.10373, section 4).

import { addNoise, invertDdimStep } from '../diffusion/ddim.ts';
import { extrapolateNoise, invertStep, noiseOf } from '../diffusion/fixed-point-inversion.ts';
import { stepDown } from '../diffusion/sampling-step.ts';
import type { Schedule } from '../diffusion/schedule.ts';
import type { Conditioning } from '../nets/conditioning.ts';
import { plainPass, type Pass } from '../nets/pass.ts';
import { concatRows, subtract, takeRows, type Tensor } from '../tensor/tensor.ts';
import { pairsOf, type CorrespondenceStore } from './correspondences.ts';
import { predict, predictionOf, type Denoiser, type PassInputs, type PassOutputs } from './denoiser.ts';
import { forEachGroup } from './keyframe-groups.ts';
import { KeyframeState } from './keyframe-state.ts';
import { requireFinite } from './latent-checks.ts';
import { frameRange, writeFrames, type LatentStore } from './latents.ts';
import { paperNeighbours } from './keyframe-neighbours.ts';
import type { Scene } from './scenes.ts';
import { frameInversionPass, keyframeInversionPass } from './step-passes.ts';
import { stepsOf, type Step } from './steps.ts';

/**
 * How a step up is found. `ddim`: with the noise that the network predicts in the latents of the step below (arXiv
 * 2010.02502, section 4.3; what TokenFlow's official code does). `fixed-point`: the latents from which sampling's own step
 * leads back to those below, found by iteration from an extrapolated first guess, as in AIDI (arXiv 2309.04907) and ReNoise
 * (arXiv 2403.14602). `noised`: the clip under given noise, and by how much sampling's own step from there misses the
 * latents below. An edit that adds what was missed keeps the clip exactly where nothing is asked for, in however few steps:
 * edit-friendly inversion (Huberman-Spiegelglas et al., arXiv 2304.06140).
 */
export type InversionMethod = { readonly name: 'ddim' } | FixedPoint | NoisedClip;

export interface FixedPoint {
  readonly name: 'fixed-point';
  /** Evaluations per frame and step, at least 1. */
  readonly iterations: number;
  /** Keeps the predicted noise of an inversion step; three in turn, so that a step can be repeated. */
  readonly noiseAt: (step: number) => LatentStore;
  /** Replaces the first of several iterations for the frames that it has. */
  readonly earlier: EarlierPredictions | null;
  /** null to cache nothing. */
  readonly cache: CorrespondenceCache | null;
}

export interface NoisedClip {
  readonly name: 'noised';
  /** The clip's own latents. */
  readonly clean: LatentStore;
  /** The noise [count, C, h, w] at a timestep: the same for all frames, so that it does not flicker. */
  readonly noiseAt: (timestep: number, count: number) => Tensor;
  /** Keeps what the step at a timestep misses: the latents below it, without those that sampling's step leads to. */
  readonly residualAt: (timestep: number) => LatentStore;
  /** null to cache nothing. */
  readonly cache: CorrespondenceCache | null;
}

/** What a coarser inversion has predicted in some of the frames: a preview's. */
export interface EarlierPredictions {
  /**
   * The noise [N, C, h, w] to expect at `timestep` in those of `frames` that are known; `rows` are their places among
   * `frames`, rising. null where nothing is known.
   * @param extrapolated [frames, C, h, w] what the steps below let expect; null at the lowest step
   */
  at(
    timestep: number,
    frames: readonly number[],
    extrapolated: Tensor | null,
  ): Promise<{ readonly rows: readonly number[]; readonly noise: Tensor } | null>;
}

/** The data about the source that sampling will need: found in the last evaluation of each step. */
export interface CorrespondenceCache {
  readonly store: CorrespondenceStore;
  /** The sampling step at a timestep; null at timesteps that sampling does not use. */
  readonly stepAt: (timestep: number) => number | null;
  /** The keyframes of a sampling step, rising, at least one in each scene. */
  readonly keyframesAt: (step: number) => readonly number[];
  readonly scenes: readonly Scene[];
}

export interface InversionOptions {
  readonly denoiser: Denoiser;
  /** The inversion goes up its timesteps. In a fixed-point inversion they are those of sampling. */
  readonly schedule: Schedule;
  readonly method: InversionMethod;
  /** Of what the clip shows. */
  readonly conditioning: Conditioning;
  /** The latents after `startStep` steps: the clip's own at first. */
  readonly latents: LatentStore;
  /**
   * Takes the latents after a step; swapped with `latents` from step to step, so that a crash leaves one of them whole.
   * Under `ddim` it may be `latents` itself: steps are then written in place.
   */
  readonly next: LatentStore;
  /** Steps that are done already. */
  readonly startStep: number;
  /** The store that keeps the result at a timestep, or undefined when that timestep is not needed. */
  readonly keep: (timestep: number) => LatentStore | undefined;
  /** Frames per pass. */
  readonly chunkSize: number;
}

type InversionStep = Step<InversionOptions>;

/** Inputs of the last evaluation of a step besides latents and text. */
type SearchInputs = Pick<PassInputs, 'keyframes' | 'pairs'>;

/** Yields the number of finished steps after each. Throws EditError('result-invalid') for latents that are no numbers. */
export async function* invert(options: InversionOptions): AsyncGenerator<number, void> {
  for (const step of stepsOf(options, options.schedule.timesteps.toReversed())) {
    await stepClip(step);
    yield step.index + 1;
  }
}

/** One step of all frames, a few at a time. */
async function stepClip(step: InversionStep): Promise<void> {
  const { method, chunkSize } = step.options;
  const cache = method.name === 'ddim' ? null : method.cache;
  const samplingStep = cache?.stepAt(step.timestep) ?? null;
  if (cache !== null && samplingStep !== null) {
    for (const scene of cache.scenes) await stepScene(step, cache, samplingStep, scene);
    return;
  }
  const { frameCount } = step.before;
  for (let start = 0; start < frameCount; start += chunkSize) {
    await invertFrames(step, frameRange(start, Math.min(start + chunkSize, frameCount)), plainPass);
  }
}

/** Keyframes first, a few at a time; then the frames between them, whose tokens are searched in them. */
async function stepScene(
  step: InversionStep,
  { keyframesAt, store }: CorrespondenceCache,
  samplingStep: number,
  scene: Scene,
): Promise<void> {
  const { chunkSize } = step.options;
  const keyframes = keyframesAt(samplingStep).filter((k) => k >= scene.start && k < scene.end);
  const groupCount = Math.ceil(keyframes.length / chunkSize);
  await forEachGroup({
    scene,
    keyframes,
    chunkSize,
    groups: frameRange(0, groupCount).map((i) => keyframes.slice(i * chunkSize, (i + 1) * chunkSize)),
    neighboursOf: (frame) => paperNeighbours(frame, keyframes),
    includesKeyframes: false,
    visitKeyframes: async (group) => {
      const { tokens } = await invertFrames(step, group, keyframeInversionPass);
      return new KeyframeState(group, tokens);
    },
    visitFrames: async (frames, neighbours, state) => {
      const searched = { keyframes: state.tokens, pairs: pairsOf(neighbours, state.keyframes) };
      const { correspondences } = await invertFrames(step, frames, frameInversionPass, searched);
      if (correspondences === null) throw new TypeError('The pass returned no correspondences.');
      await store.write(samplingStep, frames, correspondences);
    },
  });
}

/** Moves frames one step up. Returns the other outputs of the last evaluation, which is one of `pass`. */
async function invertFrames(
  step: InversionStep,
  frames: readonly number[],
  pass: Pass,
  search: SearchInputs = {},
): Promise<PassOutputs> {
  const { options, timestep, before, after } = step;
  const { schedule, keep, method } = options;
  const below = await before.read(frames);
  const guess = await guessOf(step, frames, below);
  const outputs = await options.denoiser.run(pass, {
    latents: { source: guess },
    timestep,
    conditioning: { source: options.conditioning },
    ...search,
  });
  const prediction = predictionOf(outputs, 'source');
  switch (method.name) {
    case 'ddim':
      await store(invertDdimStep(below, prediction, timestep, schedule));
      break;
    case 'fixed-point': {
      const noise = noiseOf(guess, prediction, timestep, schedule);
      await writeFrames(method.noiseAt(step.index), frames, noise);
      await store(invertStep(below, noise, timestep, schedule));
      break;
    }
    case 'noised': {
      const missed = subtract(below, stepDown(guess, prediction, timestep, schedule));
      await writeFrames(method.residualAt(timestep), frames, missed);
      await store(guess);
    }
  }
  return outputs;

  async function store(next: Tensor): Promise<void> {
    requireFinite(next, `inversion at timestep ${timestep}`);
    await writeFrames(after, frames, next);
    const kept = keep(timestep);
    if (kept !== undefined) await writeFrames(kept, frames, next);
  }
}

/** The latents that the last evaluation of the step gets. */
async function guessOf(step: InversionStep, frames: readonly number[], below: Tensor): Promise<Tensor> {
  const { options, timestep } = step;
  const { method, schedule } = options;
  switch (method.name) {
    case 'ddim':
      return below;
    case 'fixed-point':
      return iterate(step, method, frames, below, await lastNoises(step, method, frames));
    case 'noised':
      return addNoise(await method.clean.read(frames), method.noiseAt(timestep, frames.length), timestep, schedule);
  }
}

/** The noise to expect, on a straight line through that of the steps below; null at the lowest step. */
async function lastNoises(
  { index }: InversionStep,
  { noiseAt }: FixedPoint,
  frames: readonly number[],
): Promise<Tensor | null> {
  if (index === 0) return null;
  const last = await noiseAt(index - 1).read(frames);
  return extrapolateNoise(last, index === 1 ? null : await noiseAt(index - 2).read(frames));
}

/** The latents that the last evaluation of the step gets: the result of all iterations before it. */
async function iterate(
  { options, timestep }: InversionStep,
  { iterations, earlier }: FixedPoint,
  frames: readonly number[],
  below: Tensor,
  extrapolated: Tensor | null,
): Promise<Tensor> {
  const { schedule } = options;
  let guess = invertStep(below, extrapolated, timestep, schedule);
  for (let iteration = 1; iteration < iterations; iteration++) {
    const known = iteration === 1 ? ((await earlier?.at(timestep, frames, extrapolated)) ?? null) : null;
    guess = invertStep(below, await predictNoise(options, guess, timestep, known), timestep, schedule);
  }
  return guess;
}

/** The noise that the network predicts in latents. Rows that are known are not evaluated. */
async function predictNoise(
  { denoiser, conditioning, schedule }: InversionOptions,
  latents: Tensor,
  timestep: number,
  known: { readonly rows: readonly number[]; readonly noise: Tensor } | null,
): Promise<Tensor> {
  const count = latents.dims[0] ?? 0;
  const others = frameRange(0, count).filter((row) => known?.rows.includes(row) !== true);
  if (known !== null && others.length === 0) return known.noise;
  const asked = known === null ? latents : takeRows(latents, others);
  const seen = noiseOf(asked, await predict(denoiser, asked, timestep, conditioning), timestep, schedule);
  if (known === null) return seen;
  const places = [...known.rows, ...others];
  const order = frameRange(0, count).map((row) => places.indexOf(row));
  return takeRows(concatRows([known.noise, seen]), order);
}
