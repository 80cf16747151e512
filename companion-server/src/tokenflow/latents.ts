// The store of a clip's latents while an edit works on a few frames at a time. The real stores are files
// (engine/source-cache/latent-file.ts), so that memory does not grow with the clip.

import { sliceRows, type Tensor } from '../tensor/tensor.ts';

/** Latents of all frames at one timestep. */
export interface LatentStore {
  readonly frameCount: number;
  /** The frames `indices`, in that order, [N, C, h, w]. */
  read(indices: readonly number[]): Promise<Tensor>;
  /** Overwrites frames from `start` on. latents [N, C, h, w] */
  write(start: number, latents: Tensor): Promise<void>;
}

/** The clip's inverted latents at every sampling timestep. */
export interface SourceTrajectory {
  at(timestep: number): LatentStore;
}

/** The whole numbers from `start` (included) to `end` (excluded). */
export function frameRange(start: number, end: number): readonly number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}

/** Writes all frames of `from` to `to`, a few at a time. */
export async function copyLatents(from: LatentStore, to: LatentStore, chunkSize: number): Promise<void> {
  for (let start = 0; start < from.frameCount; start += chunkSize) {
    const end = Math.min(start + chunkSize, from.frameCount);
    await to.write(start, await from.read(frameRange(start, end)));
  }
}

/** Writes latents [N, C, h, w] of the frames `frames`, which rise but may have gaps. */
export async function writeFrames(store: LatentStore, frames: readonly number[], latents: Tensor): Promise<void> {
  for (let start = 0; start < frames.length;) {
    const first = frames[start] ?? 0;
    let end = start + 1;
    while (frames[end] === first + end - start) end++;
    await store.write(first, sliceRows(latents, start, end));
    start = end;
  }
}
