// The grey picture that the metrics compare: Rec. 601 luma, as the reference implementations use.

import type { Rgb24Frame } from '../media/frame.ts';

/** [height * width], 0..255. */
export function lumaOf({ width, height, rgb }: Rgb24Frame): Float32Array {
  const luma = new Float32Array(width * height);
  for (let i = 0; i < luma.length; i++) {
    luma[i] = 0.299 * (rgb[3 * i] ?? 0) + 0.587 * (rgb[3 * i + 1] ?? 0) + 0.114 * (rgb[3 * i + 2] ?? 0);
  }
  return luma;
}

/** Throws RangeError unless both frames have one size. */
export function requireSameSize(metric: string, a: Rgb24Frame, b: Rgb24Frame): void {
  if (a.width === b.width && a.height === b.height) return;
  throw new RangeError(
    `${metric}: frames must have one size, got ${a.width} x ${a.height} and ${b.width} x ${b.height}.`,
  );
}
