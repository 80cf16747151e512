// Where SDEdit starts when it does not start from the inverted clip: at the clip's own latents under fresh noise
// (arXiv 2108.01073, algorithm 1).

import type { Noise } from '../../../protocol/edit-settings.ts';
import { addNoise } from '../diffusion/ddim.ts';
import { frameNoise, sharedNoise } from '../diffusion/noise.ts';
import type { Schedule } from '../diffusion/schedule.ts';
import { frameRange, type LatentStore } from '../tokenflow/latents.ts';

export interface StartNoise {
  readonly noise: Exclude<Noise, 'inversion'>;
  readonly seed: number;
  /** The clip's frame that each of the latents is: noise belongs to a frame of the clip, whatever is edited. */
  readonly frames: readonly number[];
  /** Where the edit starts. */
  readonly timestep: number;
  readonly schedule: Schedule;
  /** Frames at a time. */
  readonly chunkSize: number;
}

/** Writes the latents of `clean`, brought to the start's timestep, to `noised`. */
export async function writeNoised(
  clean: LatentStore,
  noised: LatentStore,
  { noise, seed, frames, timestep, schedule, chunkSize }: StartNoise,
): Promise<void> {
  for (let start = 0; start < clean.frameCount; start += chunkSize) {
    const end = Math.min(start + chunkSize, clean.frameCount);
    const original = await clean.read(frameRange(start, end));
    const frameDims = original.dims.slice(1);
    const drawn =
      noise === 'own'
        ? frameNoise(seed, frames.slice(start, end), frameDims)
        : sharedNoise(seed, end - start, frameDims);
    await noised.write(start, addNoise(original, drawn, timestep, schedule));
  }
}
