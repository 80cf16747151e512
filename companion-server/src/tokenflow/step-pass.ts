// One step of a clip at a time: what inversion and sampling have in common, whatever a step of theirs does.

import type { LatentStore } from './latents.ts';

/** One step of all frames. */
export interface StepPass<Options> {
  readonly options: Options;
  readonly step: number;
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
  readonly spare: LatentStore;
}

/** The steps that are left, one for each timestep; the two stores take turns. */
export function* stepPasses<Options extends Stores>(
  options: Options,
  timesteps: readonly number[],
): Generator<StepPass<Options>, void> {
  let [before, after] = [options.latents, options.spare];
  for (const [step, timestep] of timesteps.entries()) {
    if (step < options.startStep) continue;
    yield { options, step, timestep, before, after };
    [before, after] = [after, before];
  }
}
