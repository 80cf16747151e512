// Lines of text on pictures, in smooth letters that come with the program.

import { inflateSync } from 'node:zlib';
import type { Rgb24Frame } from '../media/frame.ts';
import { signs, storedFaces } from './letters.ts';

export type Face = keyof typeof storedFaces;

/** Pixels from the top of a line to the top of the next. */
export function lineHeight(face: Face): number {
  return storedFaces[face].height;
}

/** Pixels that one line takes. */
export function textWidth(text: string, face: Face): number {
  return Array.from(text).reduce((sum, sign) => sum + signWidth(face, indexOf(sign)), 0);
}

/** Writes one line with its upper left corner at (left, top); what does not fit on the canvas is cut. */
export function drawText(
  canvas: Rgb24Frame,
  text: string,
  left: number,
  top: number,
  { colour, face = 'text' }: { readonly colour: readonly [number, number, number]; readonly face?: Face },
): void {
  const { height } = storedFaces[face];
  let x0 = left;
  for (const sign of text) {
    const index = indexOf(sign);
    const width = signWidth(face, index);
    const ink = coverageOf(face, index);
    for (let i = 0; i < ink.length; i++) {
      const [x, y] = [x0 + (i % width), top + Math.floor(i / width)];
      if (x < 0 || y < 0 || x >= canvas.width || y >= Math.min(canvas.height, top + height)) continue;
      const share = (ink[i] ?? 0) / 255;
      const at = 3 * (y * canvas.width + x);
      for (let channel = 0; channel < 3; channel++) {
        const under = canvas.rgb[at + channel] ?? 0;
        canvas.rgb[at + channel] = Math.round(under + ((colour[channel] ?? 0) - under) * share);
      }
    }
    x0 += width;
  }
}

/** A sign that is not among the letters is written as a question mark. */
function indexOf(sign: string): number {
  const index = signs.indexOf(sign);
  return index < 0 ? signs.indexOf('?') : index;
}

function signWidth(face: Face, index: number): number {
  return storedFaces[face].widths[index] ?? 0;
}

const inflated = new Map<Face, Uint8Array>();

/** How much of each pixel is ink, 0..255, row by row. */
function coverageOf(face: Face, index: number): Uint8Array {
  const { height, widths, coverage } = storedFaces[face];
  const all = inflated.get(face) ?? new Uint8Array(inflateSync(Buffer.from(coverage, 'base64')));
  inflated.set(face, all);
  const before = widths.slice(0, index).reduce<number>((sum, width) => sum + width, 0) * height;
  return all.subarray(before, before + signWidth(face, index) * height);
}
