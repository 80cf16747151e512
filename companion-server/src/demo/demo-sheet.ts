// What the demo has found, on one picture: frames, one row of pixels over time, flicker, figures.

import type { Rgb24Frame } from '../media/frame.ts';
import { createCanvas, drawPicture, resizeNearest, resizeSmooth, type Rgb } from './canvas.ts';
import type { ComparedFilm } from './comparison.ts';
import { evenly } from './contact-sheet.ts';
import type { DemoFindings } from './findings.ts';
import { figuresOf, secondLine, summaryOf, timesOf } from './findings-text.ts';
import { drawText, lineHeight, textWidth } from './text.ts';

const background: Rgb = [20, 20, 23];
const ink: Rgb = [236, 236, 239];
const faint: Rgb = [160, 160, 168];
const accent: Rgb = [129, 140, 248];
const margin = 20;
const gap = 8;
const cell = 148;
const shownFrames = 5;

/** Throws RangeError when the findings have no film. */
export function drawDemoSheet(findings: DemoFindings): Rgb24Frame {
  const { comparison, second } = findings;
  const [original] = comparison.films;
  if (original === undefined) throw new RangeError('drawDemoSheet: at least one film is needed.');
  const indices = evenly(shownFrames, original.frames.length);
  const pitch = cell + gap;
  const lines = lineHeight('text') + 4;
  const rowHeight = lines + cell + 2 * gap;
  const headHeight = margin + lineHeight('title') + lines * 2 + gap;
  const sliceLeft = margin + indices.length * pitch + gap;
  const width = sliceLeft + 2 * pitch + margin;
  const rows = comparison.films.length + (second === null ? 0 : 1);
  const canvas = createCanvas({ width, height: headHeight + rows * rowHeight + lines * 2 + margin }, background);

  drawText(canvas, summaryOf(findings), margin, margin, { colour: ink, face: 'title' });
  const under = margin + lineHeight('title') + 6;
  drawText(canvas, timesOf(findings), margin, under, { colour: faint });
  const heads = [`row ${comparison.row} over time`, 'flicker'];
  heads.forEach((head, i) => drawText(canvas, head, sliceLeft + i * pitch, under + lines, { colour: faint }));

  let top = headHeight;
  const row = (label: string, figures: string, frames: readonly Rgb24Frame[], pictures: readonly Rgb24Frame[]) => {
    drawText(canvas, label, margin, top, { colour: accent, face: 'strong' });
    drawText(canvas, figures, margin + textWidth(label, 'strong') + 2 * gap, top, { colour: faint });
    const at = top + lines;
    indices.forEach((index, i) => {
      const frame = frames[index];
      if (frame !== undefined) drawPicture(canvas, resizeSmooth(frame, square), margin + i * pitch, at);
    });
    pictures.forEach((picture, i) => drawPicture(canvas, picture, sliceLeft + i * pitch, at));
    top += rowHeight;
  };
  for (const film of comparison.films) row(film.label, figuresOf(film), film.frames, picturesOf(film));
  if (second !== null) row('TokenFlow, another prompt', secondLine(second), second.frames, []);
  drawText(canvas, 'In the row over time, time goes down: a smooth line is steady, a torn one jumps.', margin, top, {
    colour: faint,
  });
  drawText(
    canvas,
    'Flicker is what changes although the clip only moved: black is steady, bright boils.',
    margin,
    top + lines,
    {
      colour: faint,
    },
  );
  return canvas;
}

const square = { width: cell, height: cell };

/** The slice keeps its rows apart: each is one frame. */
function picturesOf({ slice, flicker }: ComparedFilm): readonly Rgb24Frame[] {
  return [
    resizeNearest(resizeSmooth(slice, { width: cell, height: slice.height }), square),
    resizeNearest(flicker, square),
  ];
}
