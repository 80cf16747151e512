// One video that plays several clips next to each other, each under its label.

import { throwIfCanceled } from '../errors.ts';
import type { ClipInfo } from '../media/probe/clip-info.ts';
import { openEncoder } from '../media/encode/encode.ts';
import type { Rgb24Frame } from '../media/frame.ts';
import { decodeFrames } from '../media/decode/frames.ts';
import { lineHeight } from './bitmap-font.ts';
import { createCanvas, drawPicture, drawText, type Rgb } from './canvas.ts';
import type { SheetRow } from './contact-sheet.ts';

const background: Rgb = [24, 24, 27];
const ink: Rgb = [228, 228, 231];
const gap = 8;
const zoom = 2;

export interface SideBySideOptions {
  /** Height of each picture in pixels; the width follows from its aspect. Default 256. */
  readonly height?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes `file` (.mp4, H.264) with the clips from left to right, at the first one's frame rate and as long as the
 * shortest. Throws as `openEncoder` and `decodeFrames` do.
 */
export async function writeSideBySide(
  file: string,
  rows: readonly SheetRow[],
  { height = 256, signal }: SideBySideOptions = {},
): Promise<void> {
  const [first] = rows;
  if (first === undefined) throw new RangeError('writeSideBySide: at least one clip is needed.');
  const cells = rows.map(({ clip }) => ({ width: widthAt(clip, height), height }));
  const labelHeight = lineHeight * zoom + gap;
  const width = cells.reduce((sum, cell) => sum + cell.width + gap, gap);
  // 4:2:0 wants even edges, and every player wants 4:2:0.
  const size = { width: even(width), height: even(height + labelHeight + gap) };
  const encoder = await openEncoder(file, {
    ...size,
    frameRate: first.clip.frameRate,
    codec: 'h264',
    signal,
  });
  const readers = rows.map(({ clip }, i) => decodeFrames(clip, { size: cells[i] ?? null, signal }));
  try {
    for (;;) {
      throwIfCanceled(signal);
      const frames = await Promise.all(readers.map((reader) => reader.next()));
      const pictures = frames.flatMap(({ value }) => (value === undefined ? [] : [value]));
      if (pictures.length < rows.length) break;
      await encoder.write(compose(size, pictures, rows, labelHeight));
    }
    await encoder.finish();
  } finally {
    await Promise.all([encoder.abort(), ...readers.map((reader) => reader.return())]);
  }
}

function compose(
  size: { width: number; height: number },
  pictures: readonly Rgb24Frame[],
  rows: readonly SheetRow[],
  top: number,
): Rgb24Frame {
  const canvas = createCanvas(size, background);
  let left = gap;
  pictures.forEach((picture, i) => {
    drawText(canvas, rows[i]?.label ?? '', left, gap, { colour: ink, zoom });
    drawPicture(canvas, picture, left, top);
    left += picture.width + gap;
  });
  return canvas;
}

function widthAt(clip: ClipInfo, height: number): number {
  return Math.max(1, Math.round((clip.displaySize.width * height) / clip.displaySize.height));
}

function even(length: number): number {
  return length + (length % 2);
}
