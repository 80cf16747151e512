// Where a frame's tokens are found in its keyframes (arXiv 2307.10373, section 4.2): the nearest-neighbour field.

import type { Neighbours } from './keyframe-neighbours.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A frame's keyframes, as positions among given ones. Both are equal where only one serves. */
export interface KeyframePair {
  readonly left: number;
  readonly right: number;
}

/** Of N frames of the source at one step. */
export interface Correspondences {
  /**
   * [N, 2, T]: for each of a frame's T tokens, block after block, the position of its nearest neighbour within the left
   * and the right keyframe.
   */
  readonly nearest: Uint16Array;
}

/** The store of correspondences between inversion and sampling. */
export interface CorrespondenceStore {
  /** Of the frames `frames` at sampling step `step`. */
  write(step: number, frames: readonly number[], correspondences: Correspondences): Promise<void>;
  read(step: number, frames: readonly number[]): Promise<Correspondences>;
}

/** The searches of some frames, each pair of frame and keyframe once; indices as the network takes them. */
export interface Searches {
  /** Frame within the pass and keyframe within the given ones, per search. */
  readonly jobFrame: readonly number[];
  readonly jobKeyframe: readonly number[];
  /** Searches per frame. */
  readonly leftJob: readonly number[];
  readonly rightJob: readonly number[];
}

export function planSearches(pairs: readonly KeyframePair[]): Searches {
  const jobFrame: number[] = [];
  const jobKeyframe: number[] = [];
  const leftJob: number[] = [];
  const rightJob: number[] = [];
  const search = (frame: number, keyframe: number): number => {
    jobFrame.push(frame);
    return jobKeyframe.push(keyframe) - 1;
  };
  pairs.forEach(({ left, right }, frame) => {
    const first = search(frame, left);
    leftJob.push(first);
    rightJob.push(right === left ? first : search(frame, right));
  });
  return { jobFrame, jobKeyframe, leftJob, rightJob };
}

/** Collects the search results per frame. blocks: per transformer block [jobs, S], whole numbers */
export function gatherSearched(blocks: readonly Tensor[], { leftJob, rightJob }: Searches): Correspondences {
  const total = blocks.reduce((sum, { dims }) => sum + (dims[1] ?? 0), 0);
  const nearest = new Uint16Array(leftJob.length * 2 * total);
  let offset = 0;
  for (const { dims, data } of blocks) {
    const [, length = 0] = dims;
    for (const [side, jobs] of [leftJob, rightJob].entries()) {
      jobs.forEach((job, frame) => {
        nearest.set(data.subarray(job * length, (job + 1) * length), (2 * frame + side) * total + offset);
      });
    }
    offset += length;
  }
  return { nearest };
}

/** Positions of one side of one transformer block. */
export interface BlockPositions {
  readonly side: 'left' | 'right';
  readonly block: number;
  /** [N, S], counted over all keyframes' tokens of the block. */
  readonly positions: Int32Array;
}

/** @param lengths tokens of a frame per transformer block */
export function positionsPerBlock(
  { nearest }: Correspondences,
  pairs: readonly KeyframePair[],
  lengths: readonly number[],
): readonly BlockPositions[] {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const found: BlockPositions[] = [];
  let offset = 0;
  lengths.forEach((length, block) => {
    (['left', 'right'] as const).forEach((side, sideIndex) => {
      const positions = new Int32Array(pairs.length * length);
      for (const [frame, pair] of pairs.entries()) {
        const from = (2 * frame + sideIndex) * total + offset;
        const first = pair[side] * length;
        for (let i = 0; i < length; i++) positions[frame * length + i] = first + (nearest[from + i] as number);
      }
      found.push({ side, block, positions });
    });
    offset += length;
  });
  return found;
}

/** The positions in `keyframes` of each frame's neighbours. Throws RangeError when one is missing. */
export function pairsOf(neighbours: readonly Neighbours[], keyframes: readonly number[]): KeyframePair[] {
  return neighbours.map(({ left, right }) => ({
    left: positionOf(left, keyframes),
    right: positionOf(right, keyframes),
  }));
}

/** The position in `keyframes` of each of `wanted`. Throws RangeError when one is missing. */
export function positionsOf(wanted: readonly number[], keyframes: readonly number[]): number[] {
  return wanted.map((keyframe) => positionOf(keyframe, keyframes));
}

function positionOf(keyframe: number, keyframes: readonly number[]): number {
  const position = keyframes.indexOf(keyframe);
  if (position < 0) throw new RangeError(`Keyframe ${keyframe} is not among the given ones.`);
  return position;
}
