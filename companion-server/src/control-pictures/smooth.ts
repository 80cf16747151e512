// Steadier control pictures: the median of a frame's own picture and of those of its neighbours, moved along the clip's
// motion. What flashes up in one frame goes; what moves with the clip stays.

import type { Rgb24Frame } from '../media/frame.ts';
import { sampleBilinear, type Flow } from '../metrics/flow.ts';

/** A neighbour's control picture, and how the frame's points move to it. */
export interface Neighbour {
  readonly picture: Rgb24Frame;
  readonly motion: Flow;
}

/** `picture` with the median of three wherever both neighbours show the point, else as it is. */
export function smoothed(picture: Rgb24Frame, before: Neighbour, after: Neighbour): Rgb24Frame {
  const { width, height, rgb } = picture;
  const steady = rgb.slice();
  for (let i = 0; i < width * height; i++) {
    if (before.motion.known[i] !== 1 || after.motion.known[i] !== 1) continue;
    for (let channel = 0; channel < 3; channel++) {
      const own = rgb[3 * i + channel] as number;
      const [one, other] = [moved(before, i, channel), moved(after, i, channel)];
      steady[3 * i + channel] = Math.round(Math.max(Math.min(own, one), Math.min(Math.max(own, one), other)));
    }
  }
  return { ...picture, rgb: steady };
}

/** The value of a channel where the pixel `i` has moved to, between pixels bilinearly. */
function moved({ picture, motion }: Neighbour, i: number, channel: number): number {
  const { width, height, rgb } = picture;
  const { data } = motion.vectors;
  const x = (i % width) + (data[i] as number);
  const y = Math.floor(i / width) + (data[width * height + i] as number);
  return sampleBilinear(rgb, picture, x, y, 3, channel);
}
