// Scenes: runs of frames between cuts. Tokens never cross a cut, because two scenes have no common content.

/** Frames `start` (included) to `end` (excluded). */
export interface Scene {
  readonly start: number;
  readonly end: number;
}

/** @param cuts first frames of the scenes but the first, rising, within 1..frameCount-1 */
export function scenesOf(frameCount: number, cuts: readonly number[]): readonly Scene[] {
  const starts = [0, ...cuts];
  return starts.map((start, i) => ({ start, end: starts[i + 1] ?? frameCount }));
}
