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
  for (let y = -radius; y < height; y++) {
    const [entering, leaving] = [y + radius, y - radius - 1];
    if (entering >= height) {
      if (leaving >= 0) addRow(columns, plane, factor, { start: leaving * width, sign: -1 });
    } else if (leaving < 0) addRow(columns, plane, factor, { start: entering * width, sign: 1 });
    else replaceRow(columns, plane, factor, { entering: entering * width, leaving: leaving * width });
    const count = Math.min(height - 1, entering) - Math.max(0, y - radius) + 1;
    if (y >= 0) meansOfRow(out, y * width, { sums, shares, radius, share: 1 / count });
  }
  return out;
}

// Written out: they run for every point of some thirty planes of every frame.

function addRow(
  sums: Float64Array,
  plane: Float32Array,
  factor: Float32Array | null,
  { start, sign }: { readonly start: number; readonly sign: 1 | -1 },
): void {
  for (let x = 0; x < sums.length; x++) {
    const other = factor === null ? 1 : (factor[start + x] ?? 0);
    sums[x] = (sums[x] ?? 0) + sign * (plane[start + x] ?? 0) * other;
  }
}

/** One row comes in, another goes out. */
function replaceRow(
  sums: Float64Array,
  plane: Float32Array,
  factor: Float32Array | null,
  { entering, leaving }: { readonly entering: number; readonly leaving: number },
): void {
  const width = sums.length;
  if (factor === null) {
    for (let x = 0; x < width; x++) {
      sums[x] = (sums[x] ?? 0) + ((plane[entering + x] ?? 0) - (plane[leaving + x] ?? 0));
    }
    return;
  }
  for (let x = 0; x < width; x++) {
    const more = (plane[entering + x] ?? 0) * (factor[entering + x] ?? 0);
    const less = (plane[leaving + x] ?? 0) * (factor[leaving + x] ?? 0);
    sums[x] = (sums[x] ?? 0) + (more - less);
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
  if (radius === 2) {
    meansOfFive(out, start, sums, shares, share);
    return;
  }
  const reach = 2 * radius + 1;
  let sum = 0;
  for (let x = radius + 1; x < reach; x++) sum += sums[x] ?? 0;
  for (let x = 0; x < shares.length; x++) {
    sum += (sums[x + reach] ?? 0) - (sums[x] ?? 0);
    out[start + x] = sum * share * (shares[x] ?? 0);
  }
}

/** A sum that goes along waits for the one before at each point; five terms are there at once. */
function meansOfFive(out: Float32Array, start: number, sums: Float64Array, shares: Float64Array, share: number): void {
  for (let x = 0; x < shares.length; x++) {
    const left = (sums[x + 1] ?? 0) + (sums[x + 2] ?? 0);
    const right = (sums[x + 4] ?? 0) + (sums[x + 5] ?? 0);
    out[start + x] = (left + (sums[x + 3] ?? 0) + right) * share * (shares[x] ?? 0);
  }
}
