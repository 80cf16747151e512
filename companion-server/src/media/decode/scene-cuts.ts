// Finds where a new scene begins, by ffmpeg's scene score: how much more a picture differs from the one before than the
// pictures around it do. It is computed here because ffmpeg's own score uses only the past: the start of a fast pan and a
// flash count as cuts, and ffmpeg's versions disagree by a factor of two. The frame indices are those of all other code.

import type { ClipInfo } from '../probe/clip-info.ts';
import type { Rgb24Frame, Size } from '../frame.ts';
import { decodeFrames } from './frames.ts';

export interface FrameRange {
  readonly startFrame: number;
  /** One after the last frame. */
  readonly endFrame: number;
}

export interface CutOptions {
  /** Least scene score of a cut, 0..1 as ffmpeg counts: 1 is a mean difference of 100 of 255. */
  readonly threshold?: number;
  readonly signal?: AbortSignal | undefined;
}

const defaultThreshold = 0.2;

/** Longest side of the compared pictures, in pixels. Small ones forget noise and the detail that a pan moves. */
const comparedSide = 64;

/** How far to look for what is usual, in frames. Drawings are held for up to three, and a varying rate leaves gaps. */
const usualFrames = 3;

/**
 * The frames of `range` at which a new scene begins, rising, counted from the range's first frame, which is never among
 * them. Fades and dissolves are no cuts, and a scene of up to three frames may go unseen. Memory grows by a number per
 * frame. Throws as `decodeFrames`.
 */
export async function detectCuts(
  clip: ClipInfo,
  { startFrame, endFrame }: FrameRange,
  { threshold = defaultThreshold, signal }: CutOptions = {},
): Promise<number[]> {
  // What is usual at the ends of the range is seen outside it, too.
  const from = Math.max(0, startFrame - 1 - usualFrames);
  const to = Math.min(clip.frameCount, endFrame + usualFrames);
  const size = comparedSize(clip.displaySize);
  const differences: number[] = [];
  let before: Rgb24Frame | null = null;
  for await (const frame of decodeFrames(clip, { startFrame: from, endFrame: to, size, signal })) {
    differences.push(before === null ? 0 : meanDifference(before.rgb, frame.rgb));
    before = frame;
  }
  const isInside = (index: number) => index > 0 && index < endFrame - startFrame;
  return findCuts(differences, threshold)
    .map((index) => index + from - startFrame)
    .filter(isInside);
}

/**
 * `differences[i]` is the mean difference of picture i from the one before, 0..255. A cut is one that exceeds all others
 * within three frames by 100 x `threshold`.
 */
export function findCuts(differences: readonly number[], threshold: number): number[] {
  return differences.flatMap((difference, index) => {
    const before = differences.slice(Math.max(0, index - usualFrames), index);
    const after = differences.slice(index + 1, index + 1 + usualFrames);
    return difference - Math.max(0, ...before, ...after) >= 100 * threshold ? [index] : [];
  });
}

function comparedSize({ width, height }: Size): Size {
  const scale = Math.min(1, comparedSide / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

/** 0..255 */
function meanDifference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  return sum / a.length;
}
