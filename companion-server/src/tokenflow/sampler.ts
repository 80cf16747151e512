// TokenFlow (arXiv 2307.10373, algorithm 1), one step of it on one page: keyframes are drawn and edited together with
// extended attention; their tokens are propagated to all other frames along the source's correspondences; every frame
// takes one DDIM step with its guided prediction.

import { guide } from '../diffusion/guidance.ts';
import { isLcm } from '../diffusion/lcm.ts';
import { stepDown } from '../diffusion/sampling-step.ts';
import { timestepNoise } from '../diffusion/seeded-noise.ts';
import type { Schedule } from '../diffusion/schedule.ts';
import { framesAtOnce, type Injection, type PassLimits } from '../nets/pass.ts';
import { subtract, takeRows, type Tensor } from '../tensor/tensor.ts';
import { weightedSum } from '../tensor/weighted-sum.ts';
import type { Control } from './control.ts';
import { pairsOf, positionsOf, type CorrespondenceStore } from './correspondences.ts';
import {
  predictionOf,
  type BranchConditioning,
  type Denoiser,
  type KeyframeInputs,
  type PassOutputs,
} from './denoiser.ts';
import { forEachGroup } from './keyframe-groups.ts';
import { KeyframeState } from './keyframe-state.ts';
import { groupKeyframes, type KeyframeGroup } from './keyframes.ts';
import { frameRange, writeFrames, type LatentStore, type SourceTrajectory } from './latents.ts';
import { paperNeighbours, referenceNeighbours, type Neighbours, type PropagationRule } from './keyframe-neighbours.ts';
import { propagateGuidance } from './propagated-guidance.ts';
import { requireFinite } from './latent-checks.ts';
import type { Scene } from './scenes.ts';
import { samplingPasses, type FrameGuidance, type SamplingPasses } from './step-passes.ts';
import { stepsOf, type FinishedStep, type Step } from './steps.ts';

/** How sampling gets its data about the source (see SourceMode). */
export type SourceBranch = SourceLatents &
  (
    | { readonly mode: 'cached'; readonly correspondences: CorrespondenceStore }
    | { readonly mode: 'recomputed' | 'none' }
  );

interface SourceLatents {
  /** At every sampling timestep. */
  readonly latents: SourceTrajectory;
  /** The clip's own. */
  readonly clean: LatentStore;
  /**
   * What a step at a timestep missed in the source (`noised` inversion), which is added to the edit's step. null where the
   * edit does not start from the inverted source.
   */
  readonly residualAt?: ((timestep: number) => LatentStore) | null;
}

export interface SamplerOptions extends PassLimits {
  readonly denoiser: Denoiser;
  readonly schedule: Schedule;
  readonly conditioning: BranchConditioning;
  readonly source: SourceBranch;
  /** The scale of guidance at a step; 1 for none. */
  readonly guidanceAt: (step: number) => number;
  /** Of a cached source. `propagated` needs a network whose last transformer block has a token on each latent position. */
  readonly frameGuidance: FrameGuidance;
  /** What is injected from the source at a step. */
  readonly injectionAt: (step: number) => Injection;
  /** The latents to continue with after a step of some frames; those of the step when left out. */
  readonly afterStep?: (step: FinishedStep) => Promise<Tensor>;
  /** Told of every prediction: the edit's latents at a timestep, and what the network says of them, after guidance. */
  readonly onPrediction?: (prediction: FramePrediction) => Promise<void>;
  /** ControlNets; none when left out. */
  readonly control?: Control;
  readonly propagation: PropagationRule;
  /** The keyframes of a sampling step, rising; one per run of `keyframeInterval` frames of a scene. */
  readonly keyframesAt: (step: number) => readonly number[];
  readonly keyframeInterval: number;
  /** Tokens stay within a scene. The `reference` rule counts runs from the clip's start and knows one scene only. */
  readonly scenes: readonly Scene[];
  /** Most keyframes of one pass with extended attention. */
  readonly extendedLimit: number;
  /** First sampling step, 0 unless SDEdit skips some. */
  readonly startStep: number;
  /** The edit's latents before the first step. */
  readonly latents: LatentStore;
  /** Takes the latents after a step; swapped with `latents` from step to step. */
  readonly next: LatentStore;
}

/** What is predicted of some frames at a step. */
export interface FramePrediction {
  /** Counted among the frames that are edited. */
  readonly frames: readonly number[];
  readonly timestep: number;
  /** [N, C, h, w] */
  readonly latents: Tensor;
  /** [N, C, h, w] in the schedule's prediction type */
  readonly prediction: Tensor;
}

/** The edit after a step. */
export interface SampledStep {
  /** Index of the finished step, and how many there are in all. */
  readonly step: number;
  readonly steps: number;
  readonly timestep: number;
  readonly latents: LatentStore;
}

interface SamplingStep extends Step<SamplerOptions> {
  readonly passes: SamplingPasses;
}

/**
 * Yields after every step; the last value holds the edited latents. Throws RangeError for several scenes under the
 * reference rule, EditError('result-invalid') for latents that are no numbers.
 */
export async function* sample(options: SamplerOptions): AsyncGenerator<SampledStep, void> {
  const { propagation, schedule, scenes, source } = options;
  if (source.mode !== 'none' && propagation === 'reference' && scenes.length > 1) {
    throw new RangeError(`The reference rule takes a clip as one scene, got ${scenes.length}.`);
  }
  for (const each of stepsOf(options, schedule.timesteps)) {
    const step = { ...each, passes: passesAt(options, each.index) };
    for (const scene of scenes) await stepScene(step, scene);
    yield { step: step.index, steps: schedule.timesteps.length, timestep: step.timestep, latents: step.after };
  }
}

function passesAt(
  { source, injectionAt, guidanceAt, frameGuidance, control }: SamplerOptions,
  step: number,
): SamplingPasses {
  return samplingPasses({
    sourceMode: source.mode,
    injection: injectionAt(step),
    guided: guidanceAt(step) !== 1,
    frameGuidance,
    control: control?.passesAt(step) ?? null,
  });
}

/** One step of a scene's frames. */
async function stepScene(step: SamplingStep, scene: Scene): Promise<void> {
  const { keyframesAt, extendedLimit } = step.options;
  if (step.passes.keyframes === null) return stepFramesAlone(step, scene);
  // Section 4: keyframes are drawn again at every step.
  const keyframes = keyframesAt(step.index).filter((k) => k >= scene.start && k < scene.end);
  await forEachGroup({
    scene,
    keyframes,
    chunkSize: framesAtOnce(step.passes.frames, step.options),
    groups: groupKeyframes(keyframes, extendedLimit, step.index),
    neighboursOf: (frame) => neighboursOf(frame, keyframes, step.options),
    includesKeyframes: step.passes.framesIncludeKeyframes,
    visitKeyframes: (group) => editKeyframes(step, group),
    visitFrames: (frames, neighbours, state) => editFrames(step, frames, neighbours, state),
  });
}

/** The baseline: every frame alone. */
async function stepFramesAlone(step: SamplingStep, { start, end }: Scene): Promise<void> {
  const chunkSize = framesAtOnce(step.passes.frames, step.options);
  for (let first = start; first < end; first += chunkSize) {
    const frames = frameRange(first, Math.min(first + chunkSize, end));
    const { edited, outputs } = await evaluate(step, step.passes.frames, frames);
    await stepLatents(step, frames, edited, guided(step, outputs));
  }
}

/** Section 4.1: extended attention over the keyframes of a group, and others that only take part in the attention. */
async function editKeyframes(step: SamplingStep, { own, context }: KeyframeGroup): Promise<KeyframeState> {
  const { passes } = step;
  if (passes.keyframes === null) throw new TypeError('This step has no pass over keyframes.');
  const together = [...own, ...context].sort((a, b) => a - b);
  const { edited, outputs } = await evaluate(step, passes.keyframes, together);
  const state = new KeyframeState(together, outputs.tokens).select(own);
  if (passes.framesIncludeKeyframes) return state;
  const rows = positionsOf(own, together);
  await stepLatents(step, own, takeRows(edited, rows), takeRows(guided(step, outputs), rows));
  const { negative, target } = outputs.prediction;
  const isPropagated = step.options.frameGuidance === 'propagated' && negative !== undefined && target !== undefined;
  return isPropagated ? new KeyframeState(own, state.tokens, takeRows(subtract(target, negative), rows)) : state;
}

/** Section 4.2: the keyframes' tokens are propagated to frames along the source's correspondences. */
async function editFrames(
  step: SamplingStep,
  frames: readonly number[],
  neighbours: readonly Neighbours[],
  state: KeyframeState,
): Promise<void> {
  const { source, guidanceAt } = step.options;
  const pairs = pairsOf(neighbours, state.keyframes);
  const rightWeight = neighbours.map((neighbour) => neighbour.rightWeight);
  const correspondences = source.mode === 'cached' ? await source.correspondences.read(step.index, frames) : undefined;
  const propagation = { keyframes: state.tokens, pairs, rightWeight, ...(correspondences && { correspondences }) };
  const { edited, outputs } = await evaluate(step, step.passes.frames, frames, propagation);
  const { guidance } = state;
  const prediction =
    guidance === null || correspondences === undefined
      ? guided(step, outputs)
      : propagateGuidance(predictionOf(outputs, 'target'), guidanceAt(step.index), {
          guidance,
          correspondences,
          pairs,
          rightWeight,
        });
  await stepLatents(step, frames, edited, prediction);
}

async function evaluate(
  { options, index, timestep, before }: SamplingStep,
  pass: SamplingPasses['frames'],
  frames: readonly number[],
  propagation: KeyframeInputs = {},
): Promise<{ readonly edited: Tensor; readonly outputs: PassOutputs }> {
  const { denoiser, conditioning, source, control } = options;
  const edited = await before.read(frames);
  const hasSource = pass.branches.includes('source');
  const latents = { edited, ...(hasSource ? { source: await source.latents.at(timestep).read(frames) } : {}) };
  const { controlled = [] } = pass;
  const asked = { step: index, timestep, frames, latents: edited, branches: controlled, conditioning };
  const residuals = controlled.length === 0 ? undefined : await control?.residuals(asked);
  const inputs = { latents, timestep, conditioning, ...propagation, ...(residuals && { residuals }) };
  return { edited, outputs: await denoiser.run(pass, inputs) };
}

/** Classifier-free guidance, where the pass had a negative branch. */
function guided({ options, index }: SamplingStep, outputs: PassOutputs): Tensor {
  const target = predictionOf(outputs, 'target');
  const { negative } = outputs.prediction;
  return negative === undefined ? target : guide(negative, target, options.guidanceAt(index));
}

/** One step of the schedule's solver. */
async function stepLatents(
  step: SamplingStep,
  frames: readonly number[],
  edited: Tensor,
  prediction: Tensor,
): Promise<void> {
  const { options, index, timestep, after } = step;
  const { schedule, source, afterStep } = options;
  await options.onPrediction?.({ frames, timestep, latents: edited, prediction });
  const latents = await moveDown(step, frames, edited, prediction);
  const below = schedule.timesteps[index + 1];
  const ofSource = () => (below === undefined ? source.clean : source.latents.at(below)).read(frames);
  const next = (await afterStep?.({ index, frames, latents, source: ofSource })) ?? latents;
  requireFinite(next, `sampling at timestep ${timestep}`);
  await writeFrames(after, frames, next);
}

/** What the step missed in the source holds the noise that LCM would add: no other is needed then. */
async function moveDown(
  { options, timestep }: SamplingStep,
  frames: readonly number[],
  edited: Tensor,
  prediction: Tensor,
): Promise<Tensor> {
  const { schedule, source } = options;
  const missed = source.residualAt?.(timestep);
  if (missed !== undefined) {
    return weightedSum(1, stepDown(edited, prediction, timestep, schedule), 1, await missed.read(frames));
  }
  const noise = isLcm(schedule) ? timestepNoise(timestep, frames.length, edited.dims.slice(1)) : null;
  return stepDown(edited, prediction, timestep, schedule, noise);
}

function neighboursOf(frame: number, keyframes: readonly number[], options: SamplerOptions): Neighbours {
  const { propagation, keyframeInterval } = options;
  return propagation === 'paper'
    ? paperNeighbours(frame, keyframes)
    : referenceNeighbours(frame, keyframes, keyframeInterval);
}
