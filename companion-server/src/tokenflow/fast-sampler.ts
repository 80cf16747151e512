// TokenFlow (arXiv 2307.10373, algorithm 1) over a source that was recorded: at every step keyframes are edited jointly,
// their tokens go to the other frames along the recorded correspondences, and each frame takes one DDIM step. No frame
// but a keyframe computes self-attention, nor the source's branch, and keyframes that one only where it is injected.

import { stepDdim } from '../diffusion/ddim.ts';
import { guide } from '../diffusion/guidance.ts';
import type { Schedule } from '../diffusion/schedule.ts';
import { sliceRows, takeRows, tensor, type Tensor } from '../tensor/tensor.ts';
import { guideAlong } from './carried-guidance.ts';
import type { Contexts } from './denoiser.ts';
import { EditedKeyframes } from './edited-keyframes.ts';
import type { FastDenoiser, RecordStore } from './fast-denoiser.ts';
import { injectionAt, type InjectionThresholds } from './injection.ts';
import { walkKeyframes } from './keyframe-walk.ts';
import { groupKeyframes, type KeyframeGroup } from './keyframes.ts';
import { writeFrames, type LatentStore, type SourceTrajectory } from './latents.ts';
import type { Neighbours } from './propagation.ts';
import type { SampledStep } from './sampler.ts';
import type { Scene } from './scenes.ts';
import { pairsOf, positionsOf } from './source-keyframes.ts';
import { stepPasses, type StepPass } from './step-pass.ts';
import { requireFinite } from './watchdog.ts';

/** How frames between keyframes are guided: by their own negative branch, or along with their keyframes. */
export type FrameGuidance = 'own' | 'carried';

export interface FastSamplerOptions {
  readonly denoiser: FastDenoiser;
  readonly schedule: Schedule;
  readonly contexts: Contexts;
  /** The scale of guidance at a step; 1 for none. */
  readonly guidanceAt: (step: number) => number;
  readonly frameGuidance: FrameGuidance;
  readonly thresholds: InjectionThresholds;
  /** The keyframes of a sampling step, rising, at least one in each scene: those of the recording. */
  readonly keyframesAt: (step: number) => readonly number[];
  readonly scenes: readonly Scene[];
  /** Most keyframes of one joint pass. */
  readonly jointLimit: number;
  /** Frames per forward. */
  readonly chunkSize: number;
  /** First sampling step, 0 unless SDEdit skips some. */
  readonly startStep: number;
  readonly source: SourceTrajectory;
  readonly records: RecordStore;
  /** The edit's latents before the first step. */
  readonly latents: LatentStore;
  /** Takes the latents after a step; swapped with `latents` from step to step. */
  readonly spare: LatentStore;
}

/** Yields after every step; the last value holds the edited latents. */
export async function* sampleFast(options: FastSamplerOptions): AsyncGenerator<SampledStep, void> {
  const { timesteps } = options.schedule;
  for (const pass of stepPasses(options, timesteps)) {
    for (const scene of options.scenes) await editScene(pass, scene);
    const { step, timestep, after: latents } = pass;
    yield { step, steps: timesteps.length, timestep, latents };
  }
}

type FastPass = StepPass<FastSamplerOptions>;

async function editScene(pass: FastPass, scene: Scene): Promise<void> {
  const { keyframesAt, jointLimit, chunkSize } = pass.options;
  const keyframes = keyframesAt(pass.step).filter((k) => k >= scene.start && k < scene.end);
  await walkKeyframes({
    scene,
    keyframes,
    chunkSize,
    groups: groupKeyframes(keyframes, jointLimit, pass.step),
    visitKeyframes: (group) => editKeyframes(pass, group),
    visitFrames: (frames, neighbours, known) => editFrames(pass, frames, neighbours, known),
  });
}

async function editKeyframes(pass: FastPass, { own, context }: KeyframeGroup): Promise<EditedKeyframes> {
  const { step, timestep, before } = pass;
  const { denoiser, contexts, thresholds, schedule, source, frameGuidance, guidanceAt } = pass.options;
  const scale = guidanceAt(step);
  const together = [...own, ...context].sort((a, b) => a - b);
  const injection = injectionAt(thresholds, step, schedule.timesteps.length);
  const needsSource = injection.attention || injection.features;
  const edited = await before.read(together);
  const { prediction, tokens } = await denoiser.editJointly({
    edited,
    timestep,
    contexts,
    injection,
    guided: scale !== 1,
    source: needsSource ? await source.at(timestep).read(together) : null,
  });
  const rows = positionsOf(own, together);
  const target = takeRows(prediction.target, rows);
  const negative = prediction.negative && takeRows(prediction.negative, rows);
  await advance(pass, own, takeRows(edited, rows), guided(target, negative, scale));
  const known = new EditedKeyframes(together, tokens, null).select(own);
  if (negative === null || frameGuidance === 'own' || !canCarry(tokens, target)) return known;
  return new EditedKeyframes(own, targetBranch(known.tokens), difference(target, negative));
}

async function editFrames(
  pass: FastPass,
  frames: readonly number[],
  neighbours: readonly Neighbours[],
  { keyframes, tokens, direction }: EditedKeyframes,
): Promise<void> {
  const { step, timestep, before } = pass;
  const { denoiser, contexts, records: store, guidanceAt } = pass.options;
  const scale = guidanceAt(step);
  const pairs = pairsOf(neighbours, keyframes);
  const rightWeight = neighbours.map((neighbour) => neighbour.rightWeight);
  const edited = await before.read(frames);
  const records = await store.read(step, frames);
  const { target, negative } = await denoiser.editCarried({
    edited,
    timestep,
    contexts,
    records,
    pairs,
    rightWeight,
    tokens,
  });
  const prediction =
    direction === null
      ? guided(target, negative, scale)
      : guideAlong(target, scale, { direction, records, pairs, rightWeight });
  await advance(pass, frames, edited, prediction);
}

/** One DDIM step of some frames. */
async function advance(
  { options, step, timestep, after }: FastPass,
  frames: readonly number[],
  edited: Tensor,
  prediction: Tensor,
): Promise<void> {
  const next = stepDdim(edited, prediction, timestep, options.schedule);
  requireFinite(next, `sampling step ${step + 1}`);
  await writeFrames(after, frames, next);
}

function guided(target: Tensor, negative: Tensor | null, scale: number): Tensor {
  return negative === null ? target : guide(negative, target, scale);
}

/** Whether the last block has one token on each latent position. */
function canCarry(tokens: readonly Tensor[], { dims }: Tensor): boolean {
  const [, , height = 0, width = 0] = dims;
  return tokens.at(-1)?.dims[2] === height * width;
}

/** [2, K, S, D] -> [1, K, S, D] */
function targetBranch(tokens: readonly Tensor[]): readonly Tensor[] {
  return tokens.map((block) => sliceRows(block, 1, 2));
}

function difference(a: Tensor, b: Tensor): Tensor {
  const result = tensor(a.dims);
  for (let i = 0; i < result.data.length; i++) {
    result.data[i] = (a.data[i] as number) - (b.data[i] as number);
  }
  return result;
}
