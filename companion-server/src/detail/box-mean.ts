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
    const [entering, leaving] = [(y + radius) * width, (y - radius - 1) * width];
    const [isEntering, isLeaving] = [y + radius < height, y > radius];
    if (isEntering && isLeaving) slideRows(columns, plane, factor, entering, leaving);
    else if (isEntering) addRow(columns, plane, factor, entering, 1);
    else if (isLeaving) addRow(columns, plane, factor, leaving, -1);
    count += (isEntering ? 1 : 0) - (isLeaving ? 1 : 0);
    if (y >= 0) meansOfRow(out, y * width, { sums, shares, radius, share: 1 / count });
  }
  return out;
}

/** @param sign -1 takes the row away */
function addRow(
  sums: Float64Array,
  plane: Float32Array,
  factor: Float32Array | null,
  start: number,
  sign: 1 | -1,
): void {
  for (let x = 0; x < sums.length; x++) {
    const value = (plane[start + x] ?? 0) * (factor === null ? 1 : (factor[start + x] ?? 0));
    sums[x] = (sums[x] ?? 0) + sign * value;
  }
}

/** One row comes, another goes. Written out twice: it runs for every point of some thirty planes of every frame. */
function slideRows(
  sums: Float64Array,
  plane: Float32Array,
  factor: Float32Array | null,
  entering: number,
  leaving: number,
): void {
  const width = sums.length;
  if (factor === null) {
    for (let x = 0; x < width; x++) {
      sums[x] = (sums[x] ?? 0) + (plane[entering + x] ?? 0) - (plane[leaving + x] ?? 0);
    }
    return;
  }
  for (let x = 0; x < width; x++) {
    sums[x] =
      (sums[x] ?? 0) +
      (plane[entering + x] ?? 0) * (factor[entering + x] ?? 0) -
      (plane[leaving + x] ?? 0) * (factor[leaving + x] ?? 0);
  }
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
