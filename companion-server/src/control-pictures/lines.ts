// Line drawings by differences of Gaussians, as controlnet_aux makes them: lineart_standard, and scribbles by XDoG
// (Winnemöller, 2012). Both are white on black.

import type { Rgb24Frame } from '../media/frame.ts';
import { gaussianBlur } from './gaussian-blur.ts';

const lineSigma = 6;
/** Of values above it the median becomes medium grey. */
const lineThreshold = 8;
/** No picture is brightened more than by this median: noise stays dark. */
const leastMedian = 16;

/** [height * width], 0..255: how much darker a pixel is than what is around it. */
export function lineart(frame: Rgb24Frame): Uint8Array {
  const darkness = leastOfChannels(frame, (plane) => {
    const around = gaussianBlur(plane, frame, lineSigma);
    return around.map((value, i) => value - (plane[i] as number));
  }).map((value) => Math.min(Math.max(value, 0), 255));
  const lines = darkness.filter((value) => value > lineThreshold).sort();
  const middle = lines.length / 2;
  const median =
    lines.length === 0 ? 0 : ((lines[Math.ceil(middle) - 1] as number) + (lines[Math.floor(middle)] as number)) / 2;
  const gain = 127 / Math.max(leastMedian, median);
  return Uint8Array.from(darkness, (value) => Math.min(255, value * gain));
}

const fineSigma = 0.5;
const coarseSigma = 5;
/** Twice the difference must be above it. */
const scribbleThreshold = 32;

/** [height * width]: 255 on strokes, else 0. */
export function scribble(frame: Rgb24Frame): Uint8Array {
  const difference = leastOfChannels(frame, (plane) => {
    const coarse = gaussianBlur(plane, frame, coarseSigma);
    const fine = gaussianBlur(plane, frame, fineSigma);
    return coarse.map((value, i) => value - (fine[i] as number));
  });
  // Brightness is rounded down as in the original, which keeps it in a byte.
  return Uint8Array.from(difference, (value) => {
    const brightness = Math.floor(Math.min(Math.max(255 - value, 0), 255));
    return 2 * (255 - brightness) > scribbleThreshold ? 255 : 0;
  });
}

/** Of what `of` makes of each channel [height * width] the least value at each pixel. */
function leastOfChannels({ width, height, rgb }: Rgb24Frame, of: (plane: Float32Array) => Float32Array): Float32Array {
  const least = new Float32Array(width * height).fill(Infinity);
  for (let channel = 0; channel < 3; channel++) {
    const values = of(Float32Array.from(least, (_, i) => rgb[3 * i + channel] as number));
    for (let i = 0; i < least.length; i++) least[i] = Math.min(least[i] as number, values[i] as number);
  }
  return least;
}
