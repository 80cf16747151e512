// The edge of a mask, moved and made soft.

import { boxMean } from '../detail/box-mean.ts';
import { invertCoverage, type Coverage } from './coverage.ts';

/** What differs less from 0 or 1 is rounding: outside must be exactly 0, inside exactly 1. */
const rounding = 1e-4;

/** Three means of boxes come close to a bell curve, and end where their radii end. */
const passes = 3;

export interface EdgeOptions {
  readonly invert: boolean;
  /** Pixels of the mask, outwards; negative for inwards. */
  readonly grow: number;
  /** Pixels of the mask on either side of the edge; beyond, nothing changes. */
  readonly feather: number;
}

/** A new mask, or the same where nothing is asked for. */
export function shapeEdge(coverage: Coverage, { invert, grow, feather }: EdgeOptions): Coverage {
  const turned = invert ? invertCoverage(coverage) : coverage;
  return featherEdge(growEdge(turned, grow), feather);
}

/** The same mask at another scale of its picture. */
export function scaleEdge({ invert, grow, feather }: EdgeOptions, scale: number): EdgeOptions {
  return { invert, grow: grow * scale, feather: feather * scale };
}

/**
 * The edge, where a mask is half covered, moves by `pixels`, round at corners. A moved edge is a pixel wide: how soft it
 * was is lost.
 */
export function growEdge(coverage: Coverage, pixels: number): Coverage {
  if (pixels === 0) return coverage;
  if (pixels < 0) return invertCoverage(growEdge(invertCoverage(coverage), -pixels));
  const { width, height, values } = coverage;
  const squared = squaredDistances(
    values.map((value) => (value >= 0.5 ? 0 : Infinity)),
    width,
    height,
  );
  return { width, height, values: squared.map((s) => Math.min(1, Math.max(0, pixels + 1 - Math.sqrt(s)))) };
}

/** The edge fades over `pixels` on either side. */
export function featherEdge(coverage: Coverage, pixels: number): Coverage {
  const whole = Math.round(pixels);
  if (whole === 0) return coverage;
  const { width, height } = coverage;
  let { values } = coverage;
  for (let pass = 0; pass < passes; pass++) {
    const radius = Math.floor((whole + pass) / passes);
    if (radius > 0) values = boxMean(values, coverage, radius);
  }
  const exact = values.map((value) => (value < rounding ? 0 : value > 1 - rounding ? 1 : value));
  return { width, height, values: exact };
}

/**
 * The squared distance of each pixel to the nearest pixel of `plane` that is 0; the others are Infinity. Felzenszwalb and
 * Huttenlocher, "Distance transforms of sampled functions", 2012: columns first, then rows.
 */
function squaredDistances(plane: Float32Array, width: number, height: number): Float32Array {
  const out = plane.slice();
  const column = new Float64Array(height);
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) column[y] = out[y * width + x] ?? 0;
    const found = lowerEnvelope(column);
    for (let y = 0; y < height; y++) out[y * width + x] = found[y] ?? 0;
  }
  for (let y = 0; y < height; y++) {
    const row = out.subarray(y * width, (y + 1) * width);
    row.set(lowerEnvelope(Float64Array.from(row)));
  }
  return out;
}

/** For each place the least of (distance to another)^2 + the value there. */
function lowerEnvelope(values: Float64Array): Float64Array {
  const places: number[] = [];
  const from: number[] = [];
  for (let q = 0; q < values.length; q++) {
    const value = values[q] ?? Infinity;
    if (value === Infinity) continue;
    for (;;) {
      const p = places.at(-1);
      if (p === undefined) {
        from.push(-Infinity);
        break;
      }
      const meet = (value + q * q - ((values[p] ?? 0) + p * p)) / (2 * (q - p));
      if (meet > (from.at(-1) ?? 0)) {
        from.push(meet);
        break;
      }
      places.pop();
      from.pop();
    }
    places.push(q);
  }
  const out = new Float64Array(values.length).fill(Infinity);
  let k = 0;
  for (let q = 0; q < values.length && places.length > 0; q++) {
    while ((from[k + 1] ?? Infinity) < q) k++;
    const p = places[k] ?? 0;
    out[q] = (q - p) ** 2 + (values[p] ?? 0);
  }
  return out;
}
