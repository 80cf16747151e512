// Steadier control pictures: the median of a frame's own picture and of those of its neighbours, moved along the clip's
// motion. What flashes up in one frame goes; what moves with the clip stays.

import type { Rgb24Frame } from '../media/frame.ts';

/** Where the points of a frame are in a neighbour: of metrics/flow.ts. */
interface Motion {
  /** [2, height, width] in pixels: x, then y. */
  readonly vectors: { readonly data: ArrayLike<number> };
  /** [height * width]: 1 where the point is seen in both. */
  readonly known: Uint8Array;
}

/** A neighbour's control picture, and how the frame's points move to it. */
export interface Neighbour {
  readonly picture: Rgb24Frame;
  readonly motion: Motion;
}

/**
 * `picture` with the median of three wherever both neighbours show the point, else as it is. Around the place in a neighbour
 * the nearest of 3 x 3 values counts: lines are one pixel wide, and motion is known to about one.
 */
export function smoothed(picture: Rgb24Frame, before: Neighbour, after: Neighbour): Rgb24Frame {
  const { width, height, rgb } = picture;
  const steady = rgb.slice();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (before.motion.known[i] !== 1 || after.motion.known[i] !== 1) continue;
      for (let channel = 0; channel < 3; channel++) {
        const own = rgb[3 * i + channel] as number;
        const [one, other] = [nearest(own, before, x, y, channel), nearest(own, after, x, y, channel)];
        steady[3 * i + channel] = Math.max(Math.min(own, one), Math.min(Math.max(own, one), other));
      }
    }
  }
  return { ...picture, rgb: steady };
}

/** The value nearest to `own` at the moved place or beside it. */
function nearest(own: number, { picture, motion }: Neighbour, x: number, y: number, channel: number): number {
  const { width, height, rgb } = picture;
  const plane = width * height;
  const column = Math.round(x + (motion.vectors.data[y * width + x] as number));
  const row = Math.round(y + (motion.vectors.data[plane + y * width + x] as number));
  let best = Infinity;
  let found = own;
  for (let ny = Math.max(0, row - 1); ny <= Math.min(height - 1, row + 1); ny++) {
    for (let nx = Math.max(0, column - 1); nx <= Math.min(width - 1, column + 1); nx++) {
      const value = rgb[3 * (ny * width + nx) + channel] as number;
      if (Math.abs(value - own) >= best) continue;
      best = Math.abs(value - own);
      found = value;
    }
  }
  return found;
}
