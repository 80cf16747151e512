// One picture that shows several clips at a glance: a row per clip, columns at the same moments.

import { writeFile } from 'node:fs/promises';
import type { ClipInfo } from '../media/probe/clip-info.ts';
import type { Rgb24Frame, Size } from '../media/frame.ts';
import { encodePng } from '../media/encode/png.ts';
import { decodeFrames } from '../media/decode/frames.ts';
import { planWorkingSize } from '../media/working-size.ts';
import { createCanvas, drawPicture, type Rgb } from './canvas.ts';
import { drawText, lineHeight } from './text.ts';

export interface SheetRow {
  /** A few words. */
  readonly label: string;
  readonly clip: ClipInfo;
}

export interface SheetOptions {
  /** At most this many frames, evenly spaced over the shortest clip, its first and last among them. Default 6. */
  readonly columns?: number;
  /** Pixels; the height follows from the first clip's aspect. Default 160. */
  readonly cellWidth?: number;
  readonly signal?: AbortSignal | undefined;
}

const background: Rgb = [24, 24, 27];
const ink: Rgb = [228, 228, 231];
const gap = 6;

/** Writes the contact sheet of `rows` (at least one) as PNG to `file`. Throws as `decodeFrames` and `encodePng` do. */
export async function writeContactSheet(
  file: string,
  rows: readonly SheetRow[],
  options: SheetOptions = {},
): Promise<void> {
  await writeFile(file, encodePng(await drawContactSheet(rows, options)));
}

async function drawContactSheet(
  rows: readonly SheetRow[],
  { columns = 6, cellWidth = 160, signal }: SheetOptions,
): Promise<Rgb24Frame> {
  const [first] = rows;
  if (first === undefined) throw new RangeError('writeContactSheet: at least one row is needed.');
  const cell = cellSize(first.clip, cellWidth);
  // Of the shortest clip, so that a column shows one moment in all rows.
  const length = Math.min(...rows.map(({ clip }) => clip.frameCount));
  const indices = evenly(columns, length);
  const labelHeight = lineHeight('text') + 2;
  const rowHeight = labelHeight + cell.height + gap;
  const sheet = createCanvas(
    { width: gap + indices.length * (cell.width + gap), height: gap + rows.length * rowHeight },
    background,
  );
  for (const [row, { label, clip }] of rows.entries()) {
    const top = gap + row * rowHeight;
    drawText(sheet, label, gap, top, { colour: ink });
    for await (const frame of decodeFrames(clip, { size: cell, signal })) {
      const column = indices.indexOf(frame.index);
      if (column < 0) continue;
      drawPicture(sheet, frame, gap + column * (cell.width + gap), top + labelHeight);
    }
  }
  return sheet;
}

function cellSize(clip: ClipInfo, width: number): Size {
  const box = { width, height: 16 * width };
  return planWorkingSize(clip.displaySize, box, { multiple: 1, targetPixels: 1 }).scaled;
}

/** At most `most` whole numbers from 0 to `length` - 1, as even as they go; just 0 when there is only one. */
export function evenly(most: number, length: number): number[] {
  const count = Math.min(most, length);
  return Array.from({ length: count }, (_, i) => (count === 1 ? 0 : Math.round((i * (length - 1)) / (count - 1))));
}
