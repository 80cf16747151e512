// A coarse mask made to follow the edges of its picture: around every point, it is a linear function of the colour there. He,
// Sun and Tang, "Guided image filtering", ECCV 2010, equations 19-21; applied to a larger picture as in He and Sun, "Fast
// guided filter", arXiv 1505.00996.

import type { Size } from '../media/frame.ts';
import type { RgbPlanes } from '../media/rgb-planes.ts';
import { boxMean } from './box-mean.ts';
import { covariance, fitChannel, invertRidged, mapRgb, middle, planeOf, symmetric, type Rgb } from './local-change.ts';

/** mask = `gains` . colour + `offset`; colours are counted from the middle grey. Planes [height * width]. */
export interface GuidedMask extends Size {
  readonly gains: Rgb<Float32Array>;
  readonly offset: Float32Array;
}

/**
 * @param mask [height * width] of the guide
 * @param radius points around each that a function is fitted to, and that it is then averaged over
 */
export function fitMask(guide: RgbPlanes, mask: Float32Array, radius: number): GuidedMask {
  const { width, height } = guide;
  const around = (plane: Float32Array, factor?: Float32Array) => boxMean(plane, guide, radius, factor);
  const colours = mapRgb((c) => planeOf(guide, c));
  const means = mapRgb((c) => around(colours[c]));
  const inverse = invertRidged(symmetric((i, j) => covariance(colours[i], means[i], colours[j], means[j], around)));
  const mean = around(mask);
  const gains = fitChannel(
    mapRgb((c) => covariance(mask, mean, colours[c], means[c], around)),
    inverse,
  );
  const offset = mean.map((value, i) => value - dot(gains, means, i));
  return { width, height, gains: mapRgb((c) => around(gains[c])), offset: around(offset) };
}

/** The mask of the same picture at the size of `guide`, [height * width]; about 0..1. */
export function applyGuidedMask({ width, height, gains, offset }: GuidedMask, guide: RgbPlanes): Float32Array {
  const out = new Float32Array(guide.width * guide.height);
  const columns = linearTaps(width, guide.width);
  const rows = linearTaps(height, guide.height);
  for (let y = 0; y < guide.height; y++) {
    const row = rows[y] ?? noTap;
    const [upper, lower] = [row.first * width, row.second * width];
    for (let x = 0; x < guide.width; x++) {
      const { first, second, t } = columns[x] ?? noTap;
      const i = y * guide.width + x;
      let sum = 0;
      for (const [c, plane] of [...gains, offset].entries()) {
        const above = (1 - t) * (plane[upper + first] ?? 0) + t * (plane[upper + second] ?? 0);
        const below = (1 - t) * (plane[lower + first] ?? 0) + t * (plane[lower + second] ?? 0);
        sum += (c === 3 ? 1 : (guide.planes[c]?.[i] ?? 0) - middle) * ((1 - row.t) * above + row.t * below);
      }
      out[i] = sum;
    }
  }
  return out;
}

interface LinearTap {
  readonly first: number;
  readonly second: number;
  /** Of the second. */
  readonly t: number;
}

const noTap: LinearTap = { first: 0, second: 0, t: 0 };

function linearTaps(from: number, to: number): readonly LinearTap[] {
  return Array.from({ length: to }, (_, i) => {
    const at = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
    const first = Math.floor(at);
    return { first, second: Math.min(from - 1, first + 1), t: at - first };
  });
}

function dot([a, b, c]: Rgb<Float32Array>, [x, y, z]: Rgb<Float32Array>, i: number): number {
  return (a[i] ?? 0) * (x[i] ?? 0) + (b[i] ?? 0) * (y[i] ?? 0) + (c[i] ?? 0) * (z[i] ?? 0);
}
