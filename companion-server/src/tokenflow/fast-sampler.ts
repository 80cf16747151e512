// TokenFlow (arXiv 2307.10373, algorithm 1) over a source that was recorded: at every step keyframes are edited jointly,
// their tokens go to the other frames along the recorded correspondences, and each frame takes one DDIM step. No frame
// computes the source's branch, and no frame but a keyframe computes self-attention.

import { stepDdim } from '../diffusion/ddim.ts';
import { guide } from '../diffusion/guidance.ts';
import type { Schedule } from '../diffusion/schedule.ts';
import { sliceRows, takeRows, tensor, type Tensor } from '../tensor/tensor.ts';
import { guideAlong } from './carried-guidance.ts';
import type { Contexts } from './denoiser.ts';
import { EditedKeyframes } from './edited-keyframes.ts';
import type { BranchPrediction, FastDenoiser, RecordStore } from './fast-denoiser.ts';
import { injectionAt, type InjectionThresholds } from './injection.ts';
import { walkKeyframes } from './keyframe-walk.ts';
import { groupKeyframes, type KeyframeGroup } from './keyframes.ts';
import { writeFrames, type LatentStore, type SourceTrajectory } from './latents.ts';
import type { Neighbours } from './propagation.ts';
import type { SampledStep } from './sampler.ts';
import type { Scene } from './scenes.ts';
import { positionsOf } from './source-keyframes.ts';
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
  const { schedule, startStep, scenes } = options;
  const steps = schedule.timesteps.length;
  let { latents, spare } = options;
  for (let step = startStep; step < steps; step++) {
    const timestep = schedule.timesteps[step] ?? 0;
    const pass = new FastStep(options, step, timestep, latents, spare);
    for (const scene of scenes) await pass.run(scene);
    [latents, spare] = [spare, latents];
    yield { step, steps, timestep, latents };
  }
}

/** One sampling step, scene by scene. */
class FastStep {
  private readonly options: FastSamplerOptions;
  private readonly step: number;
  private readonly timestep: number;
  private readonly scale: number;
  private readonly before: LatentStore;
  private readonly after: LatentStore;

  constructor(
    options: FastSamplerOptions,
    step: number,
    timestep: number,
    before: LatentStore,
    after: LatentStore,
  ) {
    this.options = options;
    this.step = step;
    this.timestep = timestep;
    this.scale = options.guidanceAt(step);
    this.before = before;
    this.after = after;
  }

  async run(scene: Scene): Promise<void> {
    const { keyframesAt, jointLimit, chunkSize } = this.options;
    const keyframes = keyframesAt(this.step).filter((k) => k >= scene.start && k < scene.end);
    await walkKeyframes({
      ...{ scene, keyframes, chunkSize },
      groups: groupKeyframes(keyframes, jointLimit),
      visitKeyframes: (group) => this.editKeyframes(group),
      visitFrames: (frames, neighbours, known) => this.editFrames(frames, neighbours, known),
    });
  }

  private async editKeyframes({ own, context }: KeyframeGroup): Promise<EditedKeyframes> {
    const { denoiser, contexts, thresholds, schedule, source, frameGuidance } = this.options;
    const { timestep, scale } = this;
    const together = [...own, ...context].sort((a, b) => a - b);
    const injection = injectionAt(thresholds, this.step, schedule.timesteps.length);
    const needsSource = injection.attention || injection.features;
    const edited = await this.before.read(together);
    const { prediction, tokens } = await denoiser.editJointly({
      ...{ edited, timestep, contexts, injection, guided: scale !== 1 },
      source: needsSource ? await source.at(timestep).read(together) : null,
    });
    const rows = positionsOf(own, together);
    const part = ({ target, negative }: BranchPrediction): BranchPrediction => ({
      target: takeRows(target, rows),
      negative: negative && takeRows(negative, rows),
    });
    const { target, negative } = part(prediction);
    await this.advance(own, takeRows(edited, rows), guided(target, negative, scale));
    if (negative === null || frameGuidance === 'own' || !canCarry(tokens, target)) {
      return new EditedKeyframes(together, tokens, null).select(own);
    }
    const direction = difference(target, negative);
    return new EditedKeyframes(own, targetBranch(new EditedKeyframes(together, tokens, null).select(own).tokens), direction); // prettier-ignore
  }

  private async editFrames(
    frames: readonly number[],
    neighbours: readonly Neighbours[],
    { keyframes, tokens, direction }: EditedKeyframes,
  ): Promise<void> {
    const { denoiser, contexts, records: store } = this.options;
    const { timestep, scale } = this;
    const lefts = positionsOf(neighbours.map(({ left }) => left), keyframes); // prettier-ignore
    const rights = positionsOf(neighbours.map(({ right }) => right), keyframes); // prettier-ignore
    const pairs = lefts.map((left, i) => ({ left, right: rights[i] ?? left }));
    const rightWeight = neighbours.map((neighbour) => neighbour.rightWeight);
    const edited = await this.before.read(frames);
    const records = await store.read(this.step, frames);
    const { target, negative } = await denoiser.editCarried({
      ...{ edited, timestep, contexts, records, pairs, rightWeight, tokens },
    });
    const prediction =
      direction === null
        ? guided(target, negative, scale)
        : guideAlong(target, scale, { direction, records, pairs, rightWeight });
    await this.advance(frames, edited, prediction);
  }

  private async advance(
    frames: readonly number[],
    edited: Tensor,
    prediction: Tensor,
  ): Promise<void> {
    // prettier-ignore
    const next = stepDdim(edited, prediction, this.timestep, this.options.schedule);
    requireFinite(next, `sampling step ${this.step + 1}`);
    await writeFrames(this.after, frames, next);
  }
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
