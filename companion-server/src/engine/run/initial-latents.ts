// Where an edit starts when it does not start from the inverted clip as it is: SDEdit at the clip's own latents under
// fresh noise (arXiv 2108.01073, algorithm 1), every other edit at the inverted clip with a little of its noise replaced.

import type { InitialNoise } from '../../../../protocol/edit-settings.ts';
import { addNoise, noiseIn } from '../../diffusion/ddim.ts';
import { frameNoise, sharedNoise } from '../../diffusion/seeded-noise.ts';
import type { Schedule } from '../../diffusion/schedule.ts';
import { weightedSum } from '../../tensor/weighted-sum.ts';
import { copyLatents, frameRange, type LatentStore } from '../../tokenflow/latents.ts';

/**
 * How far a seed turns the noise that the inversion found, in radians: the sine is the share of the amplitude that is
 * fresh. Enough for another edit, too little to lose the clip's structure.
 */
const turn = 0.2;

export interface FreshStart {
  readonly initialNoise: Exclude<InitialNoise, 'inversion'>;
  readonly seed: number;
  /** The clip's frame for each of the latents: the noise depends on the frame of the clip, not on the edited range. */
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
  { initialNoise, seed, frames, timestep, schedule, chunkSize }: FreshStart,
): Promise<void> {
  for (let start = 0; start < clean.frameCount; start += chunkSize) {
    const end = Math.min(start + chunkSize, clean.frameCount);
    const original = await clean.read(frameRange(start, end));
    const frameDims = original.dims.slice(1);
    const drawn =
      initialNoise === 'own'
        ? frameNoise(seed, frames.slice(start, end), frameDims)
        : sharedNoise(seed, end - start, frameDims);
    await noised.write(start, addNoise(original, drawn, timestep, schedule));
  }
}

/**
 * Where the official code starts: the noise at the end of the inversion is added to the clip at the first sampling
 * timestep, which is below the end of the inversion. Writes the result to `start`.
 * @param clean x_0
 * @param noisiest the end of the inversion, at the timestep `end`
 */
export async function writeOfficialStart(
  { clean, noisiest, start }: Record<'clean' | 'noisiest' | 'start', LatentStore>,
  {
    end,
    timestep,
    schedule,
    chunkSize,
  }: Omit<FreshStart, 'initialNoise' | 'seed' | 'frames'> & { readonly end: number },
): Promise<void> {
  for (let first = 0; first < clean.frameCount; first += chunkSize) {
    const frames = frameRange(first, Math.min(first + chunkSize, clean.frameCount));
    const original = await clean.read(frames);
    const noise = noiseIn(await noisiest.read(frames), original, end, schedule);
    await start.write(first, addNoise(original, noise, timestep, schedule));
  }
}

/**
 * Writes the inverted latents to `start`, their noise turned towards that of the seed: x_t = sqrt(a) x_0 + sqrt(1 - a)
 * (cos(turn) eps + sin(turn) n), with n the same for all frames, so that it does not flicker. Seed 0 leaves them as they
 * are.
 * @param clean x_0
 * @param inverted x_t at `timestep`
 */
export async function writeTurned(
  { clean, inverted, start }: Record<'clean' | 'inverted' | 'start', LatentStore>,
  { seed, timestep, schedule, chunkSize }: Omit<FreshStart, 'initialNoise' | 'frames'>,
): Promise<void> {
  if (seed === 0) return copyLatents(inverted, start, chunkSize);
  const alpha = schedule.alphaCumprod(timestep);
  const kept = Math.cos(turn);
  for (let first = 0; first < clean.frameCount; first += chunkSize) {
    const end = Math.min(first + chunkSize, clean.frameCount);
    const original = await clean.read(frameRange(first, end));
    const found = await inverted.read(frameRange(first, end));
    const fresh = sharedNoise(seed, end - first, original.dims.slice(1));
    const signal = weightedSum(kept, found, (1 - kept) * Math.sqrt(alpha), original);
    await start.write(first, weightedSum(1, signal, Math.sin(turn) * Math.sqrt(1 - alpha), fresh));
  }
}
