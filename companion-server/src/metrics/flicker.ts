// Flicker: mean absolute difference of successive frames, as VBench's temporal flickering (Huang et al., CVPR 2024,
// which reports 1 minus it, on still videos). It counts motion too: on a moving clip compare it with the source's
// own value, or give a mask of what stands still.

import type { Rgb24Frame } from '../media/frame.ts';
import { requireSameSize } from './luma.ts';
import { noMean, type Mean } from './mean.ts';

/**
 * The absolute difference of two successive frames over the three channels, 0..1, everywhere or where `mask`
 * (height * width) is not 0. The mean counts values, 3 per pixel. Throws RangeError when sizes differ.
 */
export function flicker(frame: Rgb24Frame, next: Rgb24Frame, mask?: Uint8Array): Mean {
  requireSameSize('flicker', frame, next);
  let { sum, count } = noMean;
  for (let i = 0; i < frame.width * frame.height; i++) {
    if (mask?.[i] === 0) continue;
    for (let value = 3 * i; value < 3 * i + 3; value++) {
      sum += Math.abs((frame.rgb[value] ?? 0) - (next.rgb[value] ?? 0)) / 255;
    }
    count += 3;
  }
  return { sum, count };
}
