// The mean of a plane around each of its points, in time that does not grow with the radius.

import type { Size } from '../media/frame.ts';

/**
 * `plane` [height * width] -> a new plane of the means over squares of 2 x `radius` + 1 points, cut off at the borders.
 * With `factor`, a plane as well, it is the mean of their product.
 */
export function boxMean(
  plane: Float32Array,
  { width, height }: Size,
  radius: number,
  factor: Float32Array | null = null,
): Float32Array {
  const out = new Float32Array(plane.length);
  // Of the rows around the current one, column by column, with zeros beyond both ends.
  const sums = new Float64Array(width + 2 * radius + 1);
  const columns = sums.subarray(radius + 1, radius + 1 + width);
  const shares = Float64Array.from({ length: width }, (_, x) => {
    return 1 / (Math.min(width - 1, x + radius) - Math.max(0, x - radius) + 1);
  });
  let count = 0;
  for (let y = -radius; y < height; y++) {
    if (y + radius < height) {
      addRow(columns, plane, factor, (y + radius) * width);
      count++;
    }
    if (y > radius) {
      subtractRow(columns, plane, factor, (y - radius - 1) * width);
      count--;
    }
    if (y >= 0) meansOfRow(out, y * width, { sums, shares, radius, share: 1 / count });
  }
  return out;
}

// Written out twice each: they run for every point of some thirty planes of every frame.

function addRow(sums: Float64Array, plane: Float32Array, factor: Float32Array | null, start: number): void {
  const width = sums.length;
  if (factor === null) {
    for (let x = 0; x < width; x++) sums[x] = (sums[x] ?? 0) + (plane[start + x] ?? 0);
    return;
  }
  for (let x = 0; x < width; x++) sums[x] = (sums[x] ?? 0) + (plane[start + x] ?? 0) * (factor[start + x] ?? 0);
}

function subtractRow(sums: Float64Array, plane: Float32Array, factor: Float32Array | null, start: number): void {
  const width = sums.length;
  if (factor === null) {
    for (let x = 0; x < width; x++) sums[x] = (sums[x] ?? 0) - (plane[start + x] ?? 0);
    return;
  }
  for (let x = 0; x < width; x++) sums[x] = (sums[x] ?? 0) - (plane[start + x] ?? 0) * (factor[start + x] ?? 0);
}

interface RowMeans {
  readonly sums: Float64Array;
  /** How much each column of a mean counts. */
  readonly shares: Float64Array;
  readonly radius: number;
  /** How much each row of a mean counts. */
  readonly share: number;
}

function meansOfRow(out: Float32Array, start: number, { sums, shares, radius, share }: RowMeans): void {
  const reach = 2 * radius + 1;
  let sum = 0;
  for (let x = radius + 1; x < reach; x++) sum += sums[x] ?? 0;
  for (let x = 0; x < shares.length; x++) {
    sum += (sums[x + reach] ?? 0) - (sums[x] ?? 0);
    out[start + x] = sum * share * (shares[x] ?? 0);
  }
}
