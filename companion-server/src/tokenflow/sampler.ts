// TokenFlow (arXiv 2307.10373, algorithm 1). At every step: draw keyframes, edit them jointly, carry their tokens to all
// frames along the source's correspondences, and take one DDIM step with the guided prediction.

import { stepDdim } from '../diffusion/ddim.ts';
import { guide } from '../diffusion/guidance.ts';
import type { Schedule } from '../diffusion/schedule.ts';
import type { Contexts, Denoiser, EditPrediction, KeyframeTokens, StepInput } from './denoiser.ts';
import { injectionAt, type InjectionThresholds } from './injection.ts';
import { joinKeyframes, selectKeyframes } from './keyframe-tokens.ts';
import { groupKeyframes } from './keyframes.ts';
import { requireFinite } from './watchdog.ts';
import { frameRange, type LatentStore, type SourceTrajectory } from './latents.ts';
import {
  keyframesOf,
  paperNeighbours,
  planPropagation,
  referenceNeighbours,
  type Neighbours,
  type PropagationRule,
} from './propagation.ts';
import type { Scene } from './scenes.ts';
import { stepPasses, type StepPass } from './step-pass.ts';

export interface SamplerOptions {
  readonly denoiser: Denoiser;
  readonly schedule: Schedule;
  readonly contexts: Contexts;
  /** The scale of guidance at a step; 1 for none. */
  readonly guidanceAt: (step: number) => number;
  readonly thresholds: InjectionThresholds;
  /** `per-frame` is the baseline without joint attention and propagation. */
  readonly propagation: PropagationRule | 'per-frame';
  /** The keyframes of a sampling step, rising; one per run of `keyframeInterval` frames of a scene. */
  readonly keyframesAt: (step: number) => readonly number[];
  readonly keyframeInterval: number;
  /** Tokens stay within a scene. The `reference` rule counts runs from the clip's start and knows one scene only. */
  readonly scenes: readonly Scene[];
  /** Most keyframes of one joint pass. */
  readonly jointLimit: number;
  /** Frames per forward. */
  readonly chunkSize: number;
  /** First sampling step, 0 unless SDEdit skips some. */
  readonly startStep: number;
  readonly source: SourceTrajectory;
  /** The edit's latents before the first step. */
  readonly latents: LatentStore;
  /** Takes the latents after a step; swapped with `latents` from step to step. */
  readonly spare: LatentStore;
}

/** The edit after a step. */
export interface SampledStep {
  /** Index of the finished step, and how many there are in all. */
  readonly step: number;
  readonly steps: number;
  readonly timestep: number;
  readonly latents: LatentStore;
}

/** Yields after every step; the last value holds the edited latents. */
export async function* sample(options: SamplerOptions): AsyncGenerator<SampledStep, void> {
  const { propagation, schedule, scenes } = options;
  const { timesteps } = schedule;
  if (propagation === 'reference' && scenes.length > 1) {
    throw new RangeError(`The reference rule takes a clip as one scene, got ${scenes.length}.`);
  }
  for (const pass of stepPasses(options, timesteps)) {
    if (propagation === 'per-frame') await editFrames(pass);
    else for (const scene of scenes) await editByTokenFlow(pass, propagation, scene);
    const { step, timestep, after: latents } = pass;
    yield { step, steps: timesteps.length, timestep, latents };
  }
}

type SamplingPass = StepPass<SamplerOptions>;

/** Every frame by itself. */
async function editFrames(pass: SamplingPass): Promise<void> {
  const { denoiser, chunkSize } = pass.options;
  const { frameCount } = pass.before;
  for (let start = 0; start < frameCount; start += chunkSize) {
    const input = await inputOf(pass, frameRange(start, Math.min(start + chunkSize, frameCount)));
    await advance(pass, start, input, await denoiser.predictPerFrame(input));
  }
}

/** Groups of keyframes come in order; frames follow as soon as both their keyframes' tokens are there. */
async function editByTokenFlow(pass: SamplingPass, rule: PropagationRule, scene: Scene): Promise<void> {
  const { denoiser, keyframesAt, keyframeInterval, jointLimit } = pass.options;
  const keyframes = keyframesAt(pass.step).filter((k) => k >= scene.start && k < scene.end);
  const neighboursOf = (frame: number): Neighbours =>
    rule === 'paper' ? paperNeighbours(frame, keyframes) : referenceNeighbours(frame, keyframes, keyframeInterval);
  let next = scene.start;
  let last: KeyframeTokens | undefined;
  for (const { own, context } of groupKeyframes(keyframes, jointLimit, pass.step)) {
    const together = [...own, ...context].sort((a, b) => a - b);
    const joint = await denoiser.editKeyframes(together, await inputOf(pass, together));
    const tokens = selectKeyframes(joint, own);
    const known = last === undefined ? [tokens] : [last, tokens];
    next = await propagate(pass, { start: next, end: scene.end }, neighboursOf, known);
    last = selectKeyframes(tokens, own.slice(-1));
  }
}

/** Propagates to the first of the frames whose keyframes are all among `tokens`; returns the first frame left. */
async function propagate(
  pass: SamplingPass,
  left: Scene,
  neighboursOf: (frame: number) => Neighbours,
  tokens: readonly KeyframeTokens[],
): Promise<number> {
  const { denoiser, chunkSize } = pass.options;
  const known = new Set(tokens.flatMap((part) => part.keyframes));
  const isReady = (frame: number) =>
    frame < left.end && keyframesOf([neighboursOf(frame)]).every((keyframe) => known.has(keyframe));
  let start = left.start;
  while (isReady(start)) {
    let end = start;
    while (end - start < chunkSize && isReady(end)) end++;
    const frames = frameRange(start, end);
    const neighbours = frames.map(neighboursOf);
    const needed = keyframesOf(neighbours);
    const parts = tokens
      .map((part) =>
        selectKeyframes(
          part,
          part.keyframes.filter((frame) => needed.includes(frame)),
        ),
      )
      .filter((part) => part.keyframes.length > 0);
    const chosen = parts.reduce(joinKeyframes);
    const plan = planPropagation(neighbours, chosen.keyframes);
    const input = await inputOf(pass, frames);
    await advance(pass, start, input, await denoiser.propagate(input, chosen, plan));
    start = end;
  }
  return start;
}

async function inputOf(
  { options, step, timestep, before }: SamplingPass,
  frames: readonly number[],
): Promise<StepInput> {
  const { contexts, thresholds, schedule, source } = options;
  return {
    source: await source.at(timestep).read(frames),
    edited: await before.read(frames),
    timestep,
    contexts,
    injection: injectionAt(thresholds, step, schedule.timesteps.length),
  };
}

/** One guided DDIM step of the chunk that begins at frame `start`. */
async function advance(
  { options, step, timestep, after }: SamplingPass,
  start: number,
  input: StepInput,
  edit: EditPrediction,
): Promise<void> {
  const { schedule, guidanceAt } = options;
  const prediction = guide(edit.negative, edit.target, guidanceAt(step));
  const next = stepDdim(input.edited, prediction, timestep, schedule);
  requireFinite(next, `sampling at timestep ${timestep}`);
  await after.write(start, next);
}
