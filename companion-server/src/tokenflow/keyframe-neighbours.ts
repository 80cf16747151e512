// Which keyframes a frame takes its tokens from, and how they are blended (arXiv 2307.10373, section 4.2).

export type PropagationRule = 'paper' | 'reference';

/** The keyframes of one frame. `left === right` when only one serves. */
export interface Neighbours {
  readonly left: number;
  readonly right: number;
  /** Share of the right one, 0..1. */
  readonly rightWeight: number;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/**
 * The paper's rule: the nearest keyframe before and after, the later one weighted by sigmoid(d- / (d- + d+)). A frame
 * outside the keyframes, or on one, takes that keyframe alone.
 */
export function paperNeighbours(frame: number, keyframes: readonly number[]): Neighbours {
  const before = keyframes.findLast((keyframe) => keyframe <= frame);
  const after = keyframes.find((keyframe) => keyframe >= frame);
  const left = before ?? after;
  const right = after ?? before;
  if (left === undefined || right === undefined) throw new RangeError('There are no keyframes.');
  if (left === right) return { left, right, rightWeight: 0 };
  return { left, right, rightWeight: sigmoid((frame - left) / (right - left)) };
}

/**
 * The official code's rule: the keyframe of the frame's own run of `interval` frames and that of the run before,
 * weighted by distances to the middle of the runs, the own one by sigmoid(d_previous / (d_own + d_previous)).
 */
export function referenceNeighbours(frame: number, keyframes: readonly number[], interval: number): Neighbours {
  const run = Math.floor(frame / interval);
  const own = keyframes[run];
  if (own === undefined) throw new RangeError(`Frame ${frame} has no keyframe.`);
  const previous = keyframes[run - 1];
  if (previous === undefined) return { left: own, right: own, rightWeight: 0 };
  const middle = Math.floor(interval / 2);
  const toOwn = Math.abs(frame - (run * interval + middle));
  const toPrevious = Math.abs(frame - ((run - 1) * interval + middle));
  return { left: previous, right: own, rightWeight: sigmoid(toPrevious / (toOwn + toPrevious)) };
}

/** Every keyframe that the neighbours name, rising. */
export function keyframesOf(neighbours: readonly Neighbours[]): readonly number[] {
  const named = new Set(neighbours.flatMap(({ left, right }) => [left, right]));
  return [...named].sort((a, b) => a - b);
}
