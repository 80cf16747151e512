// Flow for clips without a known one: coarse-to-fine block matching on luma, refined below a pixel, with a
// forward/backward check that marks what it cannot know (Sundaram, Brox and Keutzer, ECCV 2010, as in Lai et al.,
// "Learning blind video temporal consistency", ECCV 2018).

import type { Rgb24Frame, Size } from '../media/frame.ts';
import { sampleBilinear, type Flow } from './flow.ts';
import { requireSameSize } from './luma.ts';
import { gridStep, matchLevel, refineGrid, type MotionGrid } from './motion-grid.ts';
import { buildPyramid, type Level } from './pyramid.ts';

/** The flow from `from` to `to`. Throws RangeError when sizes differ. */
export function estimateFlow(from: Rgb24Frame, to: Rgb24Frame): Flow {
  requireSameSize('estimateFlow', from, to);
  const [a, b] = [buildPyramid(from), buildPyramid(to)];
  const forward = interpolate(matchPyramids(a, b), from);
  const backward = interpolate(matchPyramids(b, a), from);
  const { width, height } = from;
  return {
    width,
    height,
    vectors: { dims: [2, height, width], data: forward },
    known: agreement(forward, backward, from),
  };
}

function matchPyramids(a: readonly Level[], b: readonly Level[]): MotionGrid {
  let grid: MotionGrid | null = null;
  for (const [i, level] of a.entries()) grid = matchLevel(level, b[i] ?? level, grid);
  const [fineA, fineB] = [a.at(-1), b.at(-1)];
  if (grid === null || fineA === undefined || fineB === undefined) {
    throw new RangeError('estimateFlow: no level to match.');
  }
  return refineGrid(grid, fineA, fineB);
}

/** Grid vectors -> [2, height, width], bilinearly. */
function interpolate(grid: MotionGrid, { width, height }: Size): Float32Array {
  const size = { width: grid.columns, height: grid.rows };
  const out = new Float32Array(2 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      out[y * width + x] = sampleBilinear(grid.dx, size, x / gridStep, y / gridStep);
      out[(height + y) * width + x] = sampleBilinear(grid.dy, size, x / gridStep, y / gridStep);
    }
  }
  return out;
}

/** 1 where forward and backward flow agree, within 0.5 + 1% of the squared lengths, and stay in the picture. */
function agreement(forward: Float32Array, backward: Float32Array, size: Size): Uint8Array {
  const { width, height } = size;
  const plane = width * height;
  const backwardY = backward.subarray(plane);
  const known = new Uint8Array(plane);
  for (let i = 0; i < plane; i++) {
    const fx = forward[i] ?? 0;
    const fy = forward[plane + i] ?? 0;
    const x = (i % width) + fx;
    const y = Math.floor(i / width) + fy;
    if (x < 0 || y < 0 || x > width - 1 || y > height - 1) continue;
    const bx = sampleBilinear(backward, size, x, y);
    const by = sampleBilinear(backwardY, size, x, y);
    const gap = (fx + bx) ** 2 + (fy + by) ** 2;
    if (gap <= 0.01 * (fx ** 2 + fy ** 2 + bx ** 2 + by ** 2) + 0.5) known[i] = 1;
  }
  return known;
}
