// A mask of one picture: how much of the edit each pixel takes.

import type { PlanarFrame } from '../media/planes.ts';
import type { Size } from '../media/frame.ts';

export interface Coverage extends Size {
  /** [height * width], 0 (the source's own) to 1 (the edit's). */
  readonly values: Float32Array;
}

/** `value` everywhere. */
export function evenCoverage({ width, height }: Size, value = 0): Coverage {
  return { width, height, values: new Float32Array(width * height).fill(value) };
}

/** Everything else, a new mask. */
export function invertCoverage({ width, height, values }: Coverage): Coverage {
  return { width, height, values: values.map((value) => 1 - value) };
}

/** Compression leaves as much in the black and in the white of a matte. */
const matteNoise = 0.02;

/** Of the brightness of a matte: white is 1. */
export function coverageOfGrey({ width, height, rgb }: Size & { readonly rgb: Uint8Array }): Coverage {
  const values = new Float32Array(width * height);
  for (let i = 0; i < values.length; i++) {
    const sum = (rgb[3 * i] ?? 0) + (rgb[3 * i + 1] ?? 0) + (rgb[3 * i + 2] ?? 0);
    values[i] = withoutNoise(sum / (3 * 255));
  }
  return { width, height, values };
}

/** Of the alpha of a matte. Throws RangeError for a picture that has none. */
export function coverageOfAlpha({ width, height, format, planes }: PlanarFrame): Coverage {
  const alpha = planes[3];
  if (alpha === undefined) throw new RangeError(`coverageOfAlpha: ${format.name} has no alpha.`);
  const most = 2 ** format.bits - 1;
  return { width, height, values: Float32Array.from(alpha, (code) => withoutNoise(code / most)) };
}

function withoutNoise(value: number): number {
  return value <= matteNoise ? 0 : value >= 1 - matteNoise ? 1 : value;
}

/** The mask of the same picture at another size: linear between pixels, and a mean where it shrinks. */
export function resizeCoverage(coverage: Coverage, { width, height }: Size): Coverage {
  if (coverage.width === width && coverage.height === height) return coverage;
  const columns = tapsOf(coverage.width, width);
  const rows = tapsOf(coverage.height, height);
  const narrow = new Float32Array(width * coverage.height);
  for (let y = 0; y < coverage.height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const { place, weight } of columns[x] ?? []) {
        sum += weight * (coverage.values[y * coverage.width + place] ?? 0);
      }
      narrow[y * width + x] = sum;
    }
  }
  const values = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (const { place, weight } of rows[y] ?? []) {
      for (let x = 0; x < width; x++) {
        values[y * width + x] = (values[y * width + x] ?? 0) + weight * (narrow[place * width + x] ?? 0);
      }
    }
  }
  return { width, height, values: values.map((value) => (value > 1 - rounding ? 1 : value)) };
}

/** Sums of weights come so close to 1. */
const rounding = 1e-5;

/** The places that each of `to` places takes its value from: a triangle as wide as a place, at least one of `from`. */
function tapsOf(from: number, to: number): readonly (readonly { place: number; weight: number }[])[] {
  const ratio = from / to;
  const reach = Math.max(1, ratio);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * ratio - 0.5;
    const taps: { place: number; weight: number }[] = [];
    for (let place = Math.ceil(centre - reach); place <= centre + reach; place++) {
      const weight = 1 - Math.abs(place - centre) / reach;
      if (weight > 0) taps.push({ place: Math.min(from - 1, Math.max(0, place)), weight });
    }
    const total = taps.reduce((sum, { weight }) => sum + weight, 0);
    return taps.map(({ place, weight }) => ({ place, weight: weight / total }));
  });
}

/**
 * Intersection over union of what is at least half covered, 0..1; 1 where both are empty. Throws RangeError when the sizes
 * differ.
 */
export function overlapOf(a: Coverage, b: Coverage): number {
  if (a.width !== b.width || a.height !== b.height) {
    throw new RangeError(`overlapOf: ${a.width} x ${a.height} and ${b.width} x ${b.height} are not the same size.`);
  }
  let [both, either] = [0, 0];
  for (const [i, value] of a.values.entries()) {
    const [isA, isB] = [value >= 0.5, (b.values[i] ?? 0) >= 0.5];
    if (isA && isB) both++;
    if (isA || isB) either++;
  }
  return either === 0 ? 1 : both / either;
}
