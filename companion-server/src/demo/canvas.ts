// A picture to compose others on.

import type { Rgb24Frame, Size } from '../media/frame.ts';
import { hasDot, letterWidth } from './bitmap-font.ts';

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

/** Writes one line; what does not fit on the canvas is cut. `zoom` is the edge of a dot in pixels. */
export function drawText(
  canvas: Rgb24Frame,
  text: string,
  left: number,
  top: number,
  { colour, zoom = 1 }: { readonly colour: Rgb; readonly zoom?: number },
): void {
  Array.from(text).forEach((sign, i) => {
    for (let y = 0; y < 7 * zoom; y++) {
      for (let x = 0; x < 5 * zoom; x++) {
        const [px, py] = [left + i * letterWidth * zoom + x, top + y];
        const isInside = px >= 0 && py >= 0 && px < canvas.width && py < canvas.height;
        if (isInside && hasDot(sign, Math.floor(x / zoom), Math.floor(y / zoom))) {
          canvas.rgb.set(colour, (py * canvas.width + px) * 3);
        }
      }
    }
  });
}
