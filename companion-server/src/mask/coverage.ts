// A mask of one picture: how much of the edit each pixel takes.

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

/** Of the brightness of a picture: white is 1. */
export function coverageOfGrey({ width, height, rgb }: Size & { readonly rgb: Uint8Array }): Coverage {
  const values = new Float32Array(width * height);
  for (let i = 0; i < values.length; i++) {
    const sum = (rgb[3 * i] ?? 0) + (rgb[3 * i + 1] ?? 0) + (rgb[3 * i + 2] ?? 0);
    values[i] = sum / (3 * 255);
  }
  return { width, height, values };
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
