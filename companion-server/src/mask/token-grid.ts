// Between the pixels of a picture and the tokens of the padded one that the network sees.

import type { Size } from '../media/frame.ts';
import type { Placement } from './apply-mask.ts';
import type { Coverage } from './coverage.ts';

/** The mask of the scaled picture -> its mean at each token, row by row. The border goes with the picture's edge. */
export function tokenValues(coverage: Coverage, { scaled, padded, left, top }: Placement, grid: Size): Float32Array {
  const sums = new Float32Array(grid.width * grid.height);
  const [cellWidth, cellHeight] = [padded.width / grid.width, padded.height / grid.height];
  for (let y = 0; y < padded.height; y++) {
    const row = clamp(y - top, scaled.height - 1) * scaled.width;
    for (let x = 0; x < padded.width; x++) {
      const at = Math.floor(y / cellHeight) * grid.width + Math.floor(x / cellWidth);
      sums[at] = (sums[at] ?? 0) + (coverage.values[row + clamp(x - left, scaled.width - 1)] ?? 0);
    }
  }
  return sums.map((sum) => sum / (cellWidth * cellHeight));
}

/** Values at tokens -> at the pixels of the scaled picture, linear between the tokens' middles. */
export function cropTokens(values: Float32Array, grid: Size, { scaled, padded, left, top }: Placement): Float32Array {
  const out = new Float32Array(scaled.width * scaled.height);
  for (let y = 0; y < scaled.height; y++) {
    const row = place(((y + top + 0.5) * grid.height) / padded.height, grid.height);
    for (let x = 0; x < scaled.width; x++) {
      const column = place(((x + left + 0.5) * grid.width) / padded.width, grid.width);
      const at = (r: number, c: number) => values[r * grid.width + c] ?? 0;
      const above = (1 - column.t) * at(row.first, column.first) + column.t * at(row.first, column.second);
      const below = (1 - column.t) * at(row.second, column.first) + column.t * at(row.second, column.second);
      out[y * scaled.width + x] = (1 - row.t) * above + row.t * below;
    }
  }
  return out;
}

function place(at: number, length: number) {
  const inside = Math.min(length - 1, Math.max(0, at - 0.5));
  const first = Math.floor(inside);
  return { first, second: Math.min(length - 1, first + 1), t: inside - first };
}

function clamp(value: number, most: number): number {
  return Math.min(most, Math.max(0, value));
}
