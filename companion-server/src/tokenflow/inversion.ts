// DDIM inversion (arXiv 2010.02502, section 4.3) of every frame by itself, with guidance 1. The paper takes the source
// branch of an edit from it (section 4).

import { invertDdimStep } from '../diffusion/ddim.ts';
import type { Schedule } from '../diffusion/schedule.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Denoiser } from './denoiser.ts';
import { requireFinite } from './watchdog.ts';
import { frameRange, type LatentStore } from './latents.ts';

export interface InversionOptions {
  readonly denoiser: Denoiser;
  /** Its timesteps are walked upwards. */
  readonly schedule: Schedule;
  /** Text embedding of what the clip shows [1, tokens, D]. */
  readonly context: Tensor;
  /** Starts with the clip's latents; holds the current ones while inversion runs. */
  readonly latents: LatentStore;
  /** The store that keeps the result at a timestep, or undefined when that timestep is not needed. */
  readonly keep: (timestep: number) => LatentStore | undefined;
  /** Frames per forward. */
  readonly chunkSize: number;
}

/** Yields the number of finished steps after each. */
export async function* invert(options: InversionOptions): AsyncGenerator<number, void> {
  const { denoiser, schedule, context, latents, keep, chunkSize } = options;
  const timesteps = schedule.timesteps.toReversed();
  for (const [step, timestep] of timesteps.entries()) {
    const kept = keep(timestep);
    for (let start = 0; start < latents.frameCount; start += chunkSize) {
      const end = Math.min(start + chunkSize, latents.frameCount);
      const current = await latents.read(frameRange(start, end));
      const prediction = await denoiser.predict(current, timestep, context);
      const next = invertDdimStep(current, prediction, timestep, schedule);
      requireFinite(next, `inversion at timestep ${timestep}`);
      await latents.write(start, next);
      await kept?.write(start, next);
    }
    yield step + 1;
  }
}
