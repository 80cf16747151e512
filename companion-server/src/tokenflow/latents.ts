// Where a clip's latents lie while an edit works on a few frames at a time. The real stores are files
// (engine/latent-file.ts), so that memory does not grow with the clip.

import type { Tensor } from '../tensor/tensor.ts';

/** Latents of all frames at one moment of the process. */
export interface LatentStore {
  readonly frameCount: number;
  /** The frames `indices`, in that order, [N, C, h, w]. */
  read(indices: readonly number[]): Promise<Tensor>;
  /** Overwrites frames from `start` on. latents [N, C, h, w] */
  write(start: number, latents: Tensor): Promise<void>;
}

/** The clip's own latents at every sampling timestep, as inversion left them. */
export interface SourceTrajectory {
  at(timestep: number): LatentStore;
}

/** The whole numbers from `start` (included) to `end` (excluded). */
export function frameRange(start: number, end: number): readonly number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}

/** Writes all frames of `from` to `to`, a few at a time. */
export async function copyLatents(
  from: LatentStore,
  to: LatentStore,
  chunkSize: number,
): Promise<void> {
  for (let start = 0; start < from.frameCount; start += chunkSize) {
    const end = Math.min(start + chunkSize, from.frameCount);
    await to.write(start, await from.read(frameRange(start, end)));
  }
}
