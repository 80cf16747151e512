// Warp error: how much an edit changes where the source only moved. Lai et al., "Learning blind video temporal
// consistency", ECCV 2018, with the absolute difference in place of its square.

import type { Rgb24Frame } from '../media/frame.ts';
import { sampleBilinear, type Flow } from './flow.ts';
import { requireSameSize } from './luma.ts';
import { noMean, type Mean } from './mean.ts';

/**
 * Warps `next` (edited frame t+1) back to `frame` (edited frame t) along the source's forward `flow`, and takes the
 * absolute difference over the three channels, 0 (none) to 1 (black against white), at the pixels with a known
 * vector and, where given, a `mask` (height * width, frame t) that is not 0. The mean counts values, 3 per pixel.
 * Throws RangeError when sizes differ.
 */
export function warpError(frame: Rgb24Frame, next: Rgb24Frame, flow: Flow, mask?: Uint8Array): Mean {
  requireSameSize('warpError', frame, next);
  if (flow.width !== frame.width || flow.height !== frame.height) {
    throw new RangeError(
      `warpError: the flow must be ${frame.width} x ${frame.height}, got ${flow.width} x ${flow.height}.`,
    );
  }
  const { width, height } = frame;
  const plane = width * height;
  const { data } = flow.vectors;
  let { sum, count } = noMean;
  for (let i = 0; i < plane; i++) {
    if (flow.known[i] !== 1 || mask?.[i] === 0) continue;
    const x = (i % width) + (data[i] ?? 0);
    const y = Math.floor(i / width) + (data[plane + i] ?? 0);
    for (let channel = 0; channel < 3; channel++) {
      const moved = sampleBilinear(next.rgb, next, x, y, 3, channel);
      sum += Math.abs((frame.rgb[3 * i + channel] ?? 0) - moved) / 255;
    }
    count += 3;
  }
  return { sum, count };
}
