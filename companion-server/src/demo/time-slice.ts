// One row of pixels over time, as a picture: what moves smoothly draws a smooth line, what jumps tears it.

import type { Rgb24Frame, Size } from '../media/frame.ts';

/** Row `row` of every frame, the first frame at the top: [width x number of frames]. Frames have one size. */
export function timeSlice(frames: readonly Rgb24Frame[], row: number): Rgb24Frame {
  const width = frames[0]?.width ?? 0;
  const rgb = new Uint8Array(3 * width * frames.length);
  frames.forEach((frame, t) => rgb.set(frame.rgb.subarray(3 * row * width, 3 * (row + 1) * width), 3 * t * width));
  return { index: 0, width, height: frames.length, pixelFormat: 'rgb24', rgb };
}

/** The row through the middle of the object: the mean height of all its pixels in all `masks` ([height * width], 1 on it). */
export function objectRow(masks: readonly Uint8Array[], { width, height }: Size): number {
  let [sum, count] = [0, 0];
  for (const mask of masks) {
    for (let i = 0; i < mask.length; i++) {
      if (mask[i] !== 1) continue;
      sum += Math.floor(i / width);
      count++;
    }
  }
  return count === 0 ? Math.floor(height / 2) : Math.round(sum / count);
}
