// One step of a clip at a time: what inversion and sampling have in common, whatever a step of theirs does.

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
