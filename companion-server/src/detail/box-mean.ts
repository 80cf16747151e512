// The mean of a plane around each of its points, in time that does not grow with the radius.

import type { Size } from '../media/frame.ts';

/**
 * `plane` [height * width] -> a new plane of the means over squares of 2 x `radius` + 1 points, cut off at the borders.
 * `spare` is of the same length and is overwritten.
 */
export function boxMean(
  plane: Float32Array,
  { width, height }: Size,
  radius: number,
  spare: Float32Array,
): Float32Array {
  for (let y = 0; y < height; y++) meanOfRow(plane, spare, y * width, width, radius);
  const out = new Float32Array(plane.length);
  const sums = new Float64Array(width);
  let count = 0;
  for (let y = -radius; y < height; y++) {
    if (y + radius < height) {
      addRow(sums, spare, (y + radius) * width, 1);
      count++;
    }
    if (y > radius) {
      addRow(sums, spare, (y - radius - 1) * width, -1);
      count--;
    }
    if (y < 0) continue;
    for (let x = 0; x < width; x++) out[y * width + x] = (sums[x] ?? 0) / count;
  }
  return out;
}

function meanOfRow(
  from: Float32Array,
  to: Float32Array,
  start: number,
  width: number,
  radius: number,
): void {
  let sum = 0;
  let count = 0;
  for (let x = -radius; x < width; x++) {
    if (x + radius < width) {
      sum += from[start + x + radius] ?? 0;
      count++;
    }
    if (x > radius) {
      sum -= from[start + x - radius - 1] ?? 0;
      count--;
    }
    if (x >= 0) to[start + x] = sum / count;
  }
}

function addRow(sums: Float64Array, plane: Float32Array, start: number, sign: 1 | -1): void {
  for (let x = 0; x < sums.length; x++) sums[x] = (sums[x] ?? 0) + sign * (plane[start + x] ?? 0);
}
