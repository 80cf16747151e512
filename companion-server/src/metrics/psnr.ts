// Peak signal-to-noise ratio.

import type { Rgb24Frame } from '../media/frame.ts';
import { requireSameSize } from './luma.ts';

/** In decibels, over all pixels and channels; Infinity for equal frames. Throws RangeError when sizes differ. */
export function psnr(a: Rgb24Frame, b: Rgb24Frame): number {
  requireSameSize('psnr', a, b);
  let sum = 0;
  a.rgb.forEach((value, i) => {
    sum += (value - (b.rgb[i] ?? 0)) ** 2;
  });
  return 10 * Math.log10((255 ** 2 * a.rgb.length) / sum);
}
