// One step of a clip at a time: the loop that inversion and sampling share.

import type { Tensor } from '../tensor/tensor.ts';
import type { LatentStore } from './latents.ts';

/** One step of all frames. */
export interface Step<Options> {
  readonly options: Options;
  /** Counted from 0 at the first timestep. */
  readonly index: number;
  readonly timestep: number;
  /** The latents before the step. */
  readonly before: LatentStore;
  /** Takes the latents after it. */
  readonly after: LatentStore;
}

/** Some frames after a step of sampling. */
export interface FinishedStep {
  /** Index of the step. */
  readonly index: number;
  /** Counted among the frames that are edited. */
  readonly frames: readonly number[];
  /** [N, C, h, w] */
  readonly latents: Tensor;
  /** The source's latents of the same frames at the timestep after the step; the clip's own after the last step. */
  readonly source: () => Promise<Tensor>;
}

interface Stores {
  /** Steps that are done already. */
  readonly startStep: number;
  /** The latents after them. */
  readonly latents: LatentStore;
  readonly next: LatentStore;
}

/** The steps that are left, one for each timestep; the two stores take turns. */
export function* stepsOf<Options extends Stores>(
  options: Options,
  timesteps: readonly number[],
): Generator<Step<Options>, void> {
  let [before, after] = [options.latents, options.next];
  for (const [index, timestep] of timesteps.entries()) {
    if (index < options.startStep) continue;
    yield { options, index, timestep, before, after };
    [before, after] = [after, before];
  }
}
