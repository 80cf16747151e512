// A picture to compose others on.

import type { Rgb24Frame, Size } from '../media/frame.ts';
import { sampleBilinear } from '../metrics/flow.ts';

export type Rgb = readonly [number, number, number];

/** A picture of one colour, 0..255 per channel. */
export function createCanvas({ width, height }: Size, [red, green, blue]: Rgb): Rgb24Frame {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < rgb.length; i += 3) rgb.set([red, green, blue], i);
  return { index: 0, width, height, pixelFormat: 'rgb24', rgb };
}

/** Puts `picture` on `canvas` with its corner at (left, top). It must fit inside. */
export function drawPicture(canvas: Rgb24Frame, picture: Rgb24Frame, left: number, top: number): void {
  if (left + picture.width > canvas.width || top + picture.height > canvas.height) {
    throw new RangeError('drawPicture: the picture does not lie inside the canvas.');
  }
  for (let y = 0; y < picture.height; y++) {
    const row = picture.rgb.subarray(y * picture.width * 3, (y + 1) * picture.width * 3);
    canvas.rgb.set(row, ((top + y) * canvas.width + left) * 3);
  }
}

/** `picture` at another size: every pixel the nearest of the picture's. */
export function resizeNearest(picture: Rgb24Frame, { width, height }: Size): Rgb24Frame {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * picture.height) / height) * picture.width;
    for (let x = 0; x < width; x++) {
      const from = 3 * (row + Math.floor(((x + 0.5) * picture.width) / width));
      rgb.set(picture.rgb.subarray(from, from + 3), 3 * (y * width + x));
    }
  }
  return { index: picture.index, width, height, pixelFormat: 'rgb24', rgb };
}

/** `picture` at another size, larger or a little smaller: bilinear between the middles of its pixels. */
export function resizeSmooth(picture: Rgb24Frame, { width, height }: Size): Rgb24Frame {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const sy = ((y + 0.5) * picture.height) / height - 0.5;
    for (let x = 0; x < width; x++) {
      const sx = ((x + 0.5) * picture.width) / width - 0.5;
      for (let channel = 0; channel < 3; channel++) {
        rgb[3 * (y * width + x) + channel] = Math.round(sampleBilinear(picture.rgb, picture, sx, sy, 3, channel));
      }
    }
  }
  return { index: picture.index, width, height, pixelFormat: 'rgb24', rgb };
}
