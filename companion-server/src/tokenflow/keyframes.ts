// Keyframe sampling (arXiv 2307.10373, section 4): one frame from every run of `interval` frames, drawn again at
// every sampling step. Fixed keyframes would cut the clip into pieces (section 5.3).

import { createRandom } from '../tensor/random.ts';
import type { Scene } from './scenes.ts';

/** A source of uniform whole numbers 0 <= n < limit. */
export type DrawBelow = (limit: number) => number;

/** Rising frame indices, one per run of `interval` frames; the last run may be shorter. */
export function sampleKeyframes(frameCount: number, interval: number, drawBelow: DrawBelow): readonly number[] {
  const keyframes: number[] = [];
  for (let start = 0; start < frameCount; start += interval) {
    keyframes.push(start + drawBelow(Math.min(interval, frameCount - start)));
  }
  return keyframes;
}

/** The keyframes of a step, from the seed and the step alone, so that an edit can be repeated and resumed. */
export function drawKeyframes(
  seed: number,
  step: number,
  scenes: readonly Scene[],
  interval: number,
): readonly number[] {
  const random = createRandom(seed, step);
  return scenes.flatMap(({ start, end }) =>
    sampleKeyframes(end - start, interval, (limit) => random.below(limit)).map((k) => start + k),
  );
}

/** `drawn` keyframes, but for the runs that have given ones: those take their place. Rising. */
export function withGivenKeyframes(
  drawn: readonly number[],
  given: readonly number[],
  scenes: readonly Scene[],
  interval: number,
): readonly number[] {
  const runOf = (frame: number): string => {
    const scene = scenes.findIndex(({ start, end }) => frame >= start && frame < end);
    return `${scene} ${Math.floor((frame - (scenes[scene]?.start ?? 0)) / interval)}`;
  };
  const taken = new Set(given.map(runOf));
  const all = new Set([...drawn.filter((frame) => !taken.has(runOf(frame))), ...given]);
  return [...all].sort((a, b) => a - b);
}

/** Any number of its multiples modulo 1 is spread evenly. */
const goldenRatio = (Math.sqrt(5) - 1) / 2;

/** Keyframes of one joint pass. */
export interface KeyframeGroup {
  /** Those whose tokens are used. */
  readonly own: readonly number[];
  /** Those that only take part in the attention: anchors spread over all keyframes, and neighbours. */
  readonly context: readonly number[];
}

/**
 * Splits keyframes into joint passes of at most `limit`. Up to `limit` keyframes attend to each other all at once, as in
 * the paper. More would cost memory and time with the square of the clip's length; then each pass takes a run of
 * neighbours, the keyframes just before and after it, and the same evenly spread anchors, which keep its look
 * that of the whole clip. Where the runs end moves from step to step: what one step leaves at a border, the next ones
 * smooth.
 */
export function groupKeyframes(keyframes: readonly number[], limit: number, step: number): readonly KeyframeGroup[] {
  if (keyframes.length <= limit) return [{ own: keyframes, context: [] }];
  const anchorCount = Math.max(1, Math.floor(limit / 4));
  const ownCount = Math.max(1, limit - anchorCount - 2);
  const anchors = Array.from(
    { length: anchorCount },
    (_, i) => keyframes[Math.floor(((i + 0.5) * keyframes.length) / anchorCount)] ?? 0,
  );
  const groups: KeyframeGroup[] = [];
  let end = ownCount - Math.floor(((step * goldenRatio) % 1) * ownCount);
  for (let start = 0; start < keyframes.length; [start, end] = [end, end + ownCount]) {
    const own = keyframes.slice(start, end);
    const neighbours = [keyframes[start - 1], keyframes[end]];
    const context = new Set(
      [...neighbours, ...anchors].filter((frame): frame is number => frame !== undefined && !own.includes(frame)),
    );
    // Below a limit of 4 there is no room for both neighbours and an anchor.
    const fitting = [...context].slice(0, limit - own.length);
    groups.push({ own, context: fitting.sort((a, b) => a - b) });
  }
  return groups;
}
