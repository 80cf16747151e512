// A short animation for places that show no video: the clips side by side, and below each its row over time as it grows.

import type { Rgb24Frame } from '../media/frame.ts';
import { createCanvas, drawPicture, resizeNearest, resizeSmooth, type Rgb } from './canvas.ts';
import type { ComparedFilm } from './comparison.ts';
import { drawText, lineHeight } from './text.ts';

const background: Rgb = [20, 20, 23];
const ink: Rgb = [236, 236, 239];
const line: Rgb = [255, 255, 255];
const gap = 8;
/** Pixels of a picture's edge, and of one frame in the row over time. */
const edge = 192;
const sliceStep = 3;

/** A frame per frame of the shortest film. All films have one size. */
export function drawAnimation(films: readonly ComparedFilm[], row: number): readonly Rgb24Frame[] {
  const length = Math.min(...films.map(({ frames }) => frames.length));
  const top = gap + lineHeight('text') + gap / 2;
  const sliceTop = top + edge + gap;
  const width = gap + films.length * (edge + gap);
  const height = sliceTop + length * sliceStep + gap;
  const slices = films.map(({ slice }) =>
    resizeNearest(resizeSmooth(slice, { width: edge, height: slice.height }), {
      width: edge,
      height: slice.height * sliceStep,
    }),
  );
  return Array.from({ length }, (_, index) => {
    const canvas = { ...createCanvas({ width, height }, background), index };
    films.forEach(({ label, frames }, i) => {
      const [left, frame, slice] = [gap + i * (edge + gap), frames[index], slices[i]];
      if (frame === undefined || slice === undefined) return;
      drawText(canvas, label, left, gap, { colour: ink });
      drawPicture(canvas, resizeSmooth(frame, { width: edge, height: edge }), left, top);
      drawRule(canvas, left, top + Math.round(((row + 0.5) * edge) / frame.height));
      drawPicture(canvas, firstRows(slice, (index + 1) * sliceStep), left, sliceTop);
    });
    return canvas;
  });
}

/** Marks the row that is shown over time, at both ends. */
function drawRule(canvas: Rgb24Frame, left: number, y: number): void {
  for (let x = 0; x < 6; x++) {
    canvas.rgb.set(line, 3 * (y * canvas.width + left + x));
    canvas.rgb.set(line, 3 * (y * canvas.width + left + edge - 1 - x));
  }
}

function firstRows(picture: Rgb24Frame, height: number): Rgb24Frame {
  return { ...picture, height, rgb: picture.rgb.subarray(0, 3 * picture.width * height) };
}
