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

export interface SamplerOptions {
  readonly denoiser: Denoiser;
  readonly schedule: Schedule;
  readonly contexts: Contexts;
  readonly guidance: number;
  readonly thresholds: InjectionThresholds;
  /** `per-frame` is the baseline without joint attention and propagation. */
  readonly propagation: PropagationRule | 'per-frame';
  /** The keyframes of a sampling step, rising; one per run of `keyframeInterval` frames. */
  readonly keyframesAt: (step: number) => readonly number[];
  readonly keyframeInterval: number;
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
  const { schedule, startStep } = options;
  const steps = schedule.timesteps.length;
  let { latents, spare } = options;
  for (let step = startStep; step < steps; step++) {
    const timestep = schedule.timesteps[step] ?? 0;
    const pass = new StepPass(options, step, timestep, latents, spare);
    await (options.propagation === 'per-frame'
      ? pass.perFrame()
      : pass.tokenFlow(options.propagation));
    [latents, spare] = [spare, latents];
    yield { step, steps, timestep, latents };
  }
}

/** One sampling step over the whole clip, a few frames at a time. */
class StepPass {
  private readonly options: SamplerOptions;
  private readonly step: number;
  private readonly timestep: number;
  private readonly before: LatentStore;
  private readonly after: LatentStore;

  constructor(
    options: SamplerOptions,
    step: number,
    timestep: number,
    before: LatentStore,
    after: LatentStore,
  ) {
    this.options = options;
    this.step = step;
    this.timestep = timestep;
    this.before = before;
    this.after = after;
  }

  async perFrame(): Promise<void> {
    const { denoiser, chunkSize } = this.options;
    for (let start = 0; start < this.before.frameCount; start += chunkSize) {
      const end = Math.min(start + chunkSize, this.before.frameCount);
      const input = await this.inputOf(frameRange(start, end));
      await this.advance(start, input, await denoiser.predictPerFrame(input));
    }
  }

  /** Groups of keyframes come in order; frames follow as soon as both their keyframes' tokens are there. */
  async tokenFlow(rule: PropagationRule): Promise<void> {
    const { denoiser, keyframesAt, jointLimit } = this.options;
    const keyframes = keyframesAt(this.step);
    const groups = groupKeyframes(keyframes, jointLimit);
    let next = 0;
    let last: KeyframeTokens | undefined;
    for (const { own, context } of groups) {
      const together = [...own, ...context].sort((a, b) => a - b);
      const joint = await denoiser.editKeyframes(together, await this.inputOf(together));
      const tokens = selectKeyframes(joint, own);
      next = await this.propagate(
        next,
        rule,
        keyframes,
        last === undefined ? [tokens] : [last, tokens],
      );
      last = selectKeyframes(tokens, own.slice(-1));
    }
  }

  /** Propagates to frames from `next` on whose keyframes are all among `tokens`; returns the first frame left. */
  private async propagate(
    next: number,
    rule: PropagationRule,
    keyframes: readonly number[],
    tokens: readonly KeyframeTokens[],
  ): Promise<number> {
    const { denoiser, chunkSize, keyframeInterval } = this.options;
    const known = new Set(tokens.flatMap((part) => part.keyframes));
    const neighboursOf = (frame: number): Neighbours =>
      rule === 'paper'
        ? paperNeighbours(frame, keyframes)
        : referenceNeighbours(frame, keyframes, keyframeInterval);
    const isReady = (frame: number) =>
      frame < this.before.frameCount &&
      keyframesOf([neighboursOf(frame)]).every((keyframe) => known.has(keyframe));
    let start = next;
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
      const input = await this.inputOf(frames);
      await this.advance(start, input, await denoiser.propagate(input, chosen, plan));
      start = end;
    }
    return start;
  }

  private async inputOf(frames: readonly number[]): Promise<StepInput> {
    const { contexts, thresholds, schedule, source } = this.options;
    return {
      source: await source.at(this.timestep).read(frames),
      edited: await this.before.read(frames),
      timestep: this.timestep,
      contexts,
      injection: injectionAt(thresholds, this.step, schedule.timesteps.length),
    };
  }

  /** One guided DDIM step of the chunk that begins at frame `start`. */
  private async advance(start: number, input: StepInput, edit: EditPrediction): Promise<void> {
    const { schedule, guidance } = this.options;
    const prediction = guide(edit.negative, edit.target, guidance);
    const next = stepDdim(input.edited, prediction, this.timestep, schedule);
    requireFinite(next, `sampling at timestep ${this.timestep}`);
    await this.after.write(start, next);
  }
}
