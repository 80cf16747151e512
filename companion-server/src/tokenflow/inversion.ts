// DDIM inversion (arXiv 2010.02502, section 4.3) of every frame by itself, with guidance 1. The paper takes the source
// branch of an edit from it (section 4).

import { invertDdimStep } from '../diffusion/ddim.ts';
import type { Schedule } from '../diffusion/schedule.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Denoiser } from './denoiser.ts';
import { frameRange, type LatentStore } from './latents.ts';
import { stepPasses } from './step-pass.ts';
import { requireFinite } from './watchdog.ts';

export interface InversionOptions {
  readonly denoiser: Denoiser;
  /** Its timesteps are walked upwards. */
  readonly schedule: Schedule;
  /** Text embedding of what the clip shows [1, tokens, D]. */
  readonly context: Tensor;
  /** The latents after `startStep` steps: the clip's own at first. */
  readonly latents: LatentStore;
  /**
   * Takes the latents after a step; swapped with `latents` from step to step, so that a crash leaves one of them whole.
   * It may be `latents` itself: steps are then written in place.
   */
  readonly spare: LatentStore;
  /** Steps that are done already. */
  readonly startStep: number;
  /** The store that keeps the result at a timestep, or undefined when that timestep is not needed. */
  readonly keep: (timestep: number) => LatentStore | undefined;
  /** Frames per forward. */
  readonly chunkSize: number;
}

/** Yields the number of finished steps after each. */
export async function* invert(options: InversionOptions): AsyncGenerator<number, void> {
  const { denoiser, schedule, context, keep, chunkSize } = options;
  for (const pass of stepPasses(options, schedule.timesteps.toReversed())) {
    const { timestep, before, after } = pass;
    const kept = keep(timestep);
    for (let start = 0; start < before.frameCount; start += chunkSize) {
      const end = Math.min(start + chunkSize, before.frameCount);
      const current = await before.read(frameRange(start, end));
      const prediction = await denoiser.predict(current, timestep, context);
      const next = invertDdimStep(current, prediction, timestep, schedule);
      requireFinite(next, `inversion at timestep ${timestep}`);
      await after.write(start, next);
      await kept?.write(start, next);
    }
    yield pass.step + 1;
  }
}
