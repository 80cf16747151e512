// Motion vectors on a coarse grid, and the measure by which they are chosen. The loops are plain on purpose: they
// run some ten million times per frame.

import { sampleBilinear } from './flow.ts';
import type { Level } from './pyramid.ts';

/** A vector is kept for every fourth pixel, matched over a window of 9 x 9. */
export const gridStep = 4;
const windowRadius = 4;
const minWindowPixels = (2 * windowRadius + 1) ** 2 / 4;

/** Search around the best guess, in pixels of the level; farther on the coarsest one. */
const searchRadius = 2;
const coarsestSearchRadius = 4;

/** Cost per pixel of vector length, in grey levels: areas without texture do not drift. */
const stillness = 0.02;

/** Damping of the refinement, squared grey levels: flat windows and straight edges do not fly off. */
const damping = 10;

export interface MotionGrid {
  readonly columns: number;
  readonly rows: number;
  /** [rows * columns], pixels of the level. */
  readonly dx: Float32Array;
  readonly dy: Float32Array;
}

/** Whole-pixel vectors from `a` to `b`, searched around those of the `coarse` level and of its neighbours. */
export function matchLevel(a: Level, b: Level, coarse: MotionGrid | null): MotionGrid {
  const columns = Math.ceil(a.width / gridStep);
  const rows = Math.ceil(a.height / gridStep);
  const dx = new Float32Array(columns * rows);
  const dy = new Float32Array(columns * rows);
  const radius = coarse === null ? coarsestSearchRadius : searchRadius;
  for (let i = 0; i < dx.length; i++) {
    const x = (i % columns) * gridStep;
    const y = Math.floor(i / columns) * gridStep;
    const guess = bestGuess(a, b, x, y, coarse);
    let best = windowCost(a, b, x, y, guess.dx, guess.dy);
    dx[i] = guess.dx;
    dy[i] = guess.dy;
    for (let gy = guess.dy - radius; gy <= guess.dy + radius; gy++) {
      for (let gx = guess.dx - radius; gx <= guess.dx + radius; gx++) {
        const cost = windowCost(a, b, x, y, gx, gy);
        if (cost >= best) continue;
        best = cost;
        dx[i] = gx;
        dy[i] = gy;
      }
    }
  }
  return { columns, rows, dx, dy };
}

/** The best of standing still and of the nine vectors around this place in the coarser grid, doubled. */
function bestGuess(a: Level, b: Level, x: number, y: number, coarse: MotionGrid | null) {
  const best = { dx: 0, dy: 0 };
  if (coarse === null) return best;
  let bestCost = windowCost(a, b, x, y, 0, 0);
  const row = y / gridStep / 2;
  const column = x / gridStep / 2;
  for (let step = 0; step < 9; step++) {
    const r = clamp(Math.floor(row) + Math.floor(step / 3) - 1, coarse.rows - 1);
    const c = clamp(Math.floor(column) + (step % 3) - 1, coarse.columns - 1);
    const dx = 2 * (coarse.dx[r * coarse.columns + c] ?? 0);
    const dy = 2 * (coarse.dy[r * coarse.columns + c] ?? 0);
    const cost = windowCost(a, b, x, y, dx, dy);
    if (cost >= bestCost) continue;
    bestCost = cost;
    best.dx = dx;
    best.dy = dy;
  }
  return best;
}

/** Mean absolute difference of the windows around (x, y) in `a` and (x + dx, y + dy) in `b`, plus `stillness`. */
function windowCost(a: Level, b: Level, x: number, y: number, dx: number, dy: number): number {
  const left = Math.max(x - windowRadius, 0, -dx);
  const right = Math.min(x + windowRadius, a.width - 1, b.width - 1 - dx);
  const top = Math.max(y - windowRadius, 0, -dy);
  const bottom = Math.min(y + windowRadius, a.height - 1, b.height - 1 - dy);
  const count = (right - left + 1) * (bottom - top + 1);
  // A window that has mostly left the picture proves nothing.
  if (right < left || bottom < top || count < minWindowPixels) return Infinity;
  let sum = 0;
  for (let wy = top; wy <= bottom; wy++) {
    const rowA = wy * a.width;
    const rowB = (wy + dy) * b.width + dx;
    for (let wx = left; wx <= right; wx++) {
      sum += Math.abs((a.luma[rowA + wx] ?? 0) - (b.luma[rowB + wx] ?? 0));
    }
  }
  return sum / count + stillness * Math.sqrt(dx * dx + dy * dy);
}

/** Adds the part below a pixel: three Gauss-Newton steps on the squared difference (Lucas and Kanade, 1981). */
export function refineGrid(grid: MotionGrid, a: Level, b: Level): MotionGrid {
  const refined = { ...grid, dx: grid.dx.slice(), dy: grid.dy.slice() };
  for (let i = 0; i < grid.dx.length; i++) {
    const x = (i % grid.columns) * gridStep;
    const y = Math.floor(i / grid.columns) * gridStep;
    const wholeX = grid.dx[i] ?? 0;
    const wholeY = grid.dy[i] ?? 0;
    let dx = wholeX;
    let dy = wholeY;
    for (let step = 0; step < 3; step++) {
      const move = gaussNewton(a, b, x, y, dx, dy);
      dx += move.dx;
      dy += move.dy;
    }
    // Farther than a pixel away the whole-pixel search would have found it: the steps were led astray.
    if (Math.hypot(dx - wholeX, dy - wholeY) < 1.5) {
      refined.dx[i] = dx;
      refined.dy[i] = dy;
    }
  }
  return refined;
}

function gaussNewton(a: Level, b: Level, x: number, y: number, dx: number, dy: number) {
  let xx = damping;
  let yy = damping;
  let xy = 0;
  let xt = 0;
  let yt = 0;
  for (let py = Math.max(y - windowRadius, 0); py <= Math.min(y + windowRadius, a.height - 1); py++) {
    for (let px = Math.max(x - windowRadius, 0); px <= Math.min(x + windowRadius, a.width - 1); px++) {
      const qx = px + dx;
      const qy = py + dy;
      if (qx < 1 || qy < 1 || qx >= b.width - 1 || qy >= b.height - 1) continue;
      const right = sampleBilinear(b.luma, b, qx + 1, qy);
      const left = sampleBilinear(b.luma, b, qx - 1, qy);
      const below = sampleBilinear(b.luma, b, qx, qy + 1);
      const above = sampleBilinear(b.luma, b, qx, qy - 1);
      const gx = (right - left) / 2;
      const gy = (below - above) / 2;
      const difference = (a.luma[py * a.width + px] ?? 0) - sampleBilinear(b.luma, b, qx, qy);
      xx += gx * gx;
      xy += gx * gy;
      yy += gy * gy;
      xt += gx * difference;
      yt += gy * difference;
    }
  }
  const determinant = xx * yy - xy * xy;
  return { dx: (yy * xt - xy * yt) / determinant, dy: (xx * yt - xy * xt) / determinant };
}

function clamp(value: number, max: number): number {
  return Math.min(Math.max(value, 0), max);
}
