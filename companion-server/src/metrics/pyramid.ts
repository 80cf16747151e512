// A grey picture and its halves, for searches that go from coarse to fine.

import type { Rgb24Frame, Size } from '../media/frame.ts';
import { lumaOf } from './luma.ts';

export interface Level extends Size {
  /** [height * width], 0..255. */
  readonly luma: Float32Array;
}

/** The coarsest level's shorter edge is at least this, unless the frame's is not. */
const minLevelEdge = 24;

/** Coarsest first; the last level is the frame itself. */
export function buildPyramid(frame: Rgb24Frame): Level[] {
  const levels: Level[] = [];
  let level: Level = { width: frame.width, height: frame.height, luma: lumaOf(frame) };
  for (;;) {
    levels.unshift(level);
    if (Math.min(level.width, level.height) < 2 * minLevelEdge) return levels;
    level = halve(level);
  }
}

function halve({ width, height, luma }: Level): Level {
  const half = { width: width >> 1, height: height >> 1 };
  const out = new Float32Array(half.width * half.height);
  for (let y = 0; y < half.height; y++) {
    for (let x = 0; x < half.width; x++) {
      const i = 2 * y * width + 2 * x;
      const sum = (luma[i] ?? 0) + (luma[i + 1] ?? 0) + (luma[i + width] ?? 0) + (luma[i + width + 1] ?? 0);
      out[y * half.width + x] = sum / 4;
    }
  }
  return { ...half, luma: out };
}
