// Flow for clips without a known one: coarse-to-fine block matching on luma, refined below a pixel, with a
// forward/backward check that marks what it cannot know (Sundaram, Brox and Keutzer, ECCV 2010, as in Lai et al.,
// "Learning blind video temporal consistency", ECCV 2018).

import type { Frame, Size } from '../media/frame.ts';
import { sampleBilinear, type Flow } from './flow.ts';
import { lumaOf, requireSameSize } from './luma.ts';

/** A vector is kept for every fourth pixel, matched over a window of 9 x 9. */
const gridStep = 4;
const windowRadius = 4;

/** Search around the coarser level's vector, in pixels of the level. */
const searchRadius = 2;

/** The coarsest level is not smaller than this. */
const minLevelEdge = 24;

/** Cost per pixel of vector length, in grey levels per window pixel: still areas do not drift. */
const stillness = 0.02;

interface Level extends Size {
  readonly luma: Float32Array;
}

interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly dx: Float32Array;
  readonly dy: Float32Array;
}

/** The flow from `from` to `to`. Throws RangeError when sizes differ. About 0.1 s for 256 x 256. */
export function estimateFlow(from: Frame, to: Frame): Flow {
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

function buildPyramid(frame: Frame): Level[] {
  const levels: Level[] = [{ width: frame.width, height: frame.height, luma: lumaOf(frame) }];
  for (;;) {
    const fine = levels[0];
    if (fine === undefined || Math.min(fine.width, fine.height) < 2 * minLevelEdge) return levels;
    levels.unshift(halve(fine));
  }
}

function halve({ width, height, luma }: Level): Level {
  const half = { width: width >> 1, height: height >> 1 };
  const out = new Float32Array(half.width * half.height);
  for (let y = 0; y < half.height; y++) {
    for (let x = 0; x < half.width; x++) {
      const i = 2 * y * width + 2 * x;
      const sum =
        (luma[i] ?? 0) + (luma[i + 1] ?? 0) + (luma[i + width] ?? 0) + (luma[i + width + 1] ?? 0);
      out[y * half.width + x] = sum / 4;
    }
  }
  return { ...half, luma: out };
}

function matchPyramids(a: readonly Level[], b: readonly Level[]): Grid {
  let grid: Grid | null = null;
  for (const [i, level] of a.entries()) grid = matchLevel(level, b[i] ?? level, grid);
  const [fineA, fineB] = [a.at(-1), b.at(-1)];
  if (grid === null || fineA === undefined || fineB === undefined) {
    throw new RangeError('estimateFlow: no level to match.');
  }
  return refineGrid(grid, fineA, fineB);
}

/** Whole-pixel vectors for one level, searched around those of the coarser one and of its neighbours. */
function matchLevel(a: Level, b: Level, coarse: Grid | null): Grid {
  const columns = Math.ceil(a.width / gridStep);
  const rows = Math.ceil(a.height / gridStep);
  const grid = {
    columns,
    rows,
    dx: new Float32Array(columns * rows),
    dy: new Float32Array(columns * rows),
  };
  const radius = coarse === null ? 2 * searchRadius : searchRadius;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [x, y] = [column * gridStep, row * gridStep];
      let best = { dx: 0, dy: 0, cost: windowCost(a, b, x, y, 0, 0) };
      const consider = (dx: number, dy: number) => {
        const cost = windowCost(a, b, x, y, dx, dy) + stillness * Math.hypot(dx, dy);
        if (cost < best.cost) best = { dx, dy, cost };
      };
      for (const [dx, dy] of guesses(coarse, column, row)) consider(dx, dy);
      const centre = best;
      for (let dy = -radius; dy <= radius; dy++) {
        for (let dx = -radius; dx <= radius; dx++) consider(centre.dx + dx, centre.dy + dy);
      }
      grid.dx[row * columns + column] = best.dx;
      grid.dy[row * columns + column] = best.dy;
    }
  }
  return grid;
}

/** The coarser level's vectors near a place of the finer grid, doubled. */
function guesses(coarse: Grid | null, column: number, row: number): [number, number][] {
  if (coarse === null) return [];
  const found: [number, number][] = [];
  for (const rowStep of [-1, 0, 1]) {
    for (const columnStep of [-1, 0, 1]) {
      const r = Math.min(Math.max((row >> 1) + rowStep, 0), coarse.rows - 1);
      const c = Math.min(Math.max((column >> 1) + columnStep, 0), coarse.columns - 1);
      const i = r * coarse.columns + c;
      found.push([2 * (coarse.dx[i] ?? 0), 2 * (coarse.dy[i] ?? 0)]);
    }
  }
  return found;
}

/** Mean absolute difference of the windows around (x, y) in `a` and (x + dx, y + dy) in `b`; whole pixels. */
function windowCost(a: Level, b: Level, x: number, y: number, dx: number, dy: number): number {
  let [sum, count] = [0, 0];
  for (let wy = -windowRadius; wy <= windowRadius; wy++) {
    const [ya, yb] = [y + wy, y + wy + dy];
    if (ya < 0 || ya >= a.height || yb < 0 || yb >= b.height) continue;
    for (let wx = -windowRadius; wx <= windowRadius; wx++) {
      const [xa, xb] = [x + wx, x + wx + dx];
      if (xa < 0 || xa >= a.width || xb < 0 || xb >= b.width) continue;
      sum += Math.abs((a.luma[ya * a.width + xa] ?? 0) - (b.luma[yb * b.width + xb] ?? 0));
      count++;
    }
  }
  // A window that has mostly left the picture proves nothing.
  return count < (2 * windowRadius + 1) ** 2 / 4 ? Infinity : sum / count;
}

/** Adds the part below a pixel: three Gauss-Newton steps on the window's squared difference (Lucas and Kanade). */
function refineGrid(grid: Grid, a: Level, b: Level): Grid {
  const refined = { ...grid, dx: grid.dx.slice(), dy: grid.dy.slice() };
  for (let i = 0; i < grid.dx.length; i++) {
    const [x, y] = [(i % grid.columns) * gridStep, Math.floor(i / grid.columns) * gridStep];
    const whole = [grid.dx[i] ?? 0, grid.dy[i] ?? 0] as const;
    let [dx, dy] = whole;
    for (let step = 0; step < 3; step++) {
      const move = gaussNewton(a, b, x, y, dx, dy);
      dx += move.dx;
      dy += move.dy;
    }
    // Farther than a pixel away the whole-pixel search would have found it: the step was led astray.
    if (Math.hypot(dx - whole[0], dy - whole[1]) < 1.5) {
      refined.dx[i] = dx;
      refined.dy[i] = dy;
    }
  }
  return refined;
}

function gaussNewton(a: Level, b: Level, x: number, y: number, dx: number, dy: number) {
  let [xx, xy, yy, xt, yt] = [0, 0, 0, 0, 0];
  for (let wy = -windowRadius; wy <= windowRadius; wy++) {
    for (let wx = -windowRadius; wx <= windowRadius; wx++) {
      const [px, py] = [x + wx, y + wy];
      if (px < 0 || py < 0 || px >= a.width || py >= a.height) continue;
      const [qx, qy] = [px + dx, py + dy];
      if (qx < 1 || qy < 1 || qx >= b.width - 1 || qy >= b.height - 1) continue;
      const gx =
        (sampleBilinear(b.luma, b, qx + 1, qy) - sampleBilinear(b.luma, b, qx - 1, qy)) / 2;
      const gy =
        (sampleBilinear(b.luma, b, qx, qy + 1) - sampleBilinear(b.luma, b, qx, qy - 1)) / 2;
      const difference = (a.luma[py * a.width + px] ?? 0) - sampleBilinear(b.luma, b, qx, qy);
      xx += gx * gx;
      xy += gx * gy;
      yy += gy * gy;
      xt += gx * difference;
      yt += gy * difference;
    }
  }
  // A little damping (grey levels squared) keeps flat windows and straight edges from flying off.
  xx += 10;
  yy += 10;
  const determinant = xx * yy - xy * xy;
  return { dx: (yy * xt - xy * yt) / determinant, dy: (xx * yt - xy * xt) / determinant };
}

/** Grid vectors -> [2, height, width], bilinearly. */
function interpolate(grid: Grid, { width, height }: Size): Float32Array {
  const size = { width: grid.columns, height: grid.rows };
  const out = new Float32Array(2 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [gx, gy] = [x / gridStep, y / gridStep];
      out[y * width + x] = sampleBilinear(grid.dx, size, gx, gy);
      out[(height + y) * width + x] = sampleBilinear(grid.dy, size, gx, gy);
    }
  }
  return out;
}

/** 1 where going there and back leads home, within 0.5 + 1% of the squared lengths, and stays in the picture. */
function agreement(forward: Float32Array, backward: Float32Array, size: Size): Uint8Array {
  const { width, height } = size;
  const plane = width * height;
  const known = new Uint8Array(plane);
  for (let i = 0; i < plane; i++) {
    const [fx, fy] = [forward[i] ?? 0, forward[plane + i] ?? 0];
    const [x, y] = [(i % width) + fx, Math.floor(i / width) + fy];
    if (x < 0 || y < 0 || x > width - 1 || y > height - 1) continue;
    const bx = sampleBilinear(backward, size, x, y);
    const by = sampleBilinear(backward.subarray(plane), size, x, y);
    const gap = (fx + bx) ** 2 + (fy + by) ** 2;
    if (gap <= 0.01 * (fx ** 2 + fy ** 2 + bx ** 2 + by ** 2) + 0.5) known[i] = 1;
  }
  return known;
}
