// The mean of a plane around each of its points, in time that does not grow with the radius.

import type { Size } from '../media/frame.ts';

/**
 * `plane` [height * width] -> a new plane of the means over squares of 2 x `radius` + 1 points, cut off at the borders.
 * `spare` is of the same length and is overwritten. With `factor`, a plane as well, it is the mean of their product.
 */
export function boxMean(
  plane: Float32Array,
  { width, height }: Size,
  radius: number,
  spare: Float32Array,
  factor: Float32Array | null = null,
): Float32Array {
  const row = new Float32Array(width);
  const shares = Float64Array.from({ length: width }, (_, x) => {
    return 1 / (Math.min(width - 1, x + radius) - Math.max(0, x - radius) + 1);
  });
  for (let y = 0; y < height; y++) {
    fillRow(row, plane, factor, y * width);
    meanOfRow(row, shares, spare, y * width, radius);
  }
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
    const share = 1 / count;
    for (let x = 0; x < width; x++) out[y * width + x] = (sums[x] ?? 0) * share;
  }
  return out;
}

function fillRow(row: Float32Array, plane: Float32Array, factor: Float32Array | null, start: number): void {
  if (factor === null) {
    row.set(plane.subarray(start, start + row.length));
    return;
  }
  for (let x = 0; x < row.length; x++) row[x] = (plane[start + x] ?? 0) * (factor[start + x] ?? 0);
}

/** Means of the points of `row` -> `to`, from `start` on; `shares` is how much each point of a mean counts. */
function meanOfRow(row: Float32Array, shares: Float64Array, to: Float32Array, start: number, radius: number): void {
  let sum = 0;
  for (let x = -radius; x < row.length; x++) {
    if (x + radius < row.length) sum += row[x + radius] ?? 0;
    if (x > radius) sum -= row[x - radius - 1] ?? 0;
    if (x >= 0) to[start + x] = sum * (shares[x] ?? 0);
  }
}

function addRow(sums: Float64Array, plane: Float32Array, start: number, sign: 1 | -1): void {
  for (let x = 0; x < sums.length; x++) sums[x] = (sums[x] ?? 0) + sign * (plane[start + x] ?? 0);
}
