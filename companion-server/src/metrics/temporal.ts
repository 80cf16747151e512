// The temporal metrics of a whole clip, gathered over pairs of frames: two frames are held at a time.

import type { Rgb24Frame } from '../media/frame.ts';
import { flicker } from './flicker.ts';
import type { Flow } from './flow.ts';
import { addMeans, meanValue, noMean } from './mean.ts';
import { warpError } from './warp-error.ts';

/** What is known of the source between frame t and frame t+1. */
export interface SourceMotion {
  readonly flow: Flow;
  /** [height * width] of frame t: 1 on the object that the edit is about. */
  readonly object?: Uint8Array;
}

/** Means over all pairs, 0..1, lower is steadier; NaN where nothing could be compared. */
export interface TemporalMetrics {
  readonly pairs: number;
  readonly warpError: number;
  /** Warp error inside the object; NaN without object masks. */
  readonly objectWarpError: number;
  readonly flicker: number;
}

/** `motions` yields the source's motion from frame 0 to 1, 1 to 2, ...; as many as there are pairs, or more. */
export async function measureTemporal(
  frames: AsyncIterable<Rgb24Frame> | Iterable<Rgb24Frame>,
  motions: AsyncIterable<SourceMotion> | Iterable<SourceMotion>,
): Promise<TemporalMetrics> {
  let [warp, objectWarp, change] = [noMean, noMean, noMean];
  let pairs = 0;
  const motionOf = iterate(motions);
  try {
    for await (const [frame, next] of successive(frames)) {
      const motion = await motionOf.next();
      if (motion.done === true) {
        throw new RangeError(`measureTemporal: motion for ${pairs} pairs, but there are more.`);
      }
      const { flow, object } = motion.value;
      warp = addMeans(warp, warpError(frame, next, flow));
      if (object !== undefined) {
        objectWarp = addMeans(objectWarp, warpError(frame, next, flow, object));
      }
      change = addMeans(change, flicker(frame, next));
      pairs++;
    }
  } finally {
    await motionOf.return(undefined);
  }
  return {
    pairs,
    warpError: meanValue(warp),
    objectWarpError: meanValue(objectWarp),
    flicker: meanValue(change),
  };
}

/** Every frame but the last with the one after it. */
export async function* successive<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<[T, T]> {
  let previous: { readonly item: T } | null = null;
  for await (const item of items) {
    if (previous !== null) yield [previous.item, item];
    previous = { item };
  }
}

async function* iterate<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T, undefined> {
  yield* items;
  return undefined;
}
