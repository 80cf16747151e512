// Films that show several clips next to each other: one with labels to look at, one without for a page that takes it apart.

import { throwIfCanceled } from '../errors.ts';
import { openEncoder } from '../media/encode/encode.ts';
import type { Rational, Rgb24Frame } from '../media/frame.ts';
import { createCanvas, drawPicture, resizeSmooth, type Rgb } from './canvas.ts';
import { drawText, lineHeight } from './text.ts';

export interface LabelledFrames {
  /** A few words. */
  readonly label: string;
  /** Of one size. */
  readonly frames: readonly Rgb24Frame[];
}

const background: Rgb = [24, 24, 27];
const ink: Rgb = [228, 228, 231];
const gap = 8;

/**
 * The clips from left to right, each under its label and `height` pixels high, for as long as the shortest. Throws
 * RangeError for no clips.
 */
export function sideBySide(columns: readonly LabelledFrames[], height: number): readonly Rgb24Frame[] {
  const top = gap + lineHeight('text') + gap / 2;
  const cells = columns.map(({ frames }) => cellOf(frames, height));
  // 4:2:0 wants even edges, and every player wants 4:2:0.
  const size = {
    width: even(cells.reduce((sum, cell) => sum + cell.width + gap, gap)),
    height: even(top + height + gap),
  };
  return Array.from({ length: shortest(columns) }, (_, index) => {
    const canvas = { ...createCanvas(size, background), index };
    let left = gap;
    columns.forEach(({ label, frames }, i) => {
      const cell = cells[i] ?? { width: 0, height };
      const frame = frames[index];
      if (frame === undefined) return;
      drawText(canvas, label, left, gap, { colour: ink });
      drawPicture(canvas, resizeSmooth(frame, cell), left, top);
      left += cell.width + gap;
    });
    return canvas;
  });
}

/** The clips edge to edge at their own size, which is one for all and even, for as long as the shortest. */
export function edgeToEdge(columns: readonly LabelledFrames[]): readonly Rgb24Frame[] {
  const { width = 0, height = 0 } = columns[0]?.frames[0] ?? {};
  return Array.from({ length: shortest(columns) }, (_, index) => {
    const canvas = { ...createCanvas({ width: columns.length * width, height }, background), index };
    columns.forEach(({ frames }, i) => {
      const frame = frames[index];
      if (frame !== undefined) drawPicture(canvas, frame, i * width, 0);
    });
    return canvas;
  });
}

/**
 * Writes `file` (.mp4, H.264). `crf` as of openEncoder. Throws RangeError for no frames, and as `openEncoder` and its encoder
 * do.
 */
export async function writeFilm(
  file: string,
  frames: readonly Rgb24Frame[],
  { frameRate, crf, signal }: { readonly frameRate: Rational; readonly crf: number; readonly signal?: AbortSignal },
): Promise<void> {
  const [first] = frames;
  if (first === undefined) throw new RangeError('writeFilm: at least one frame is needed.');
  const { width, height } = first;
  const encoder = await openEncoder(file, { width, height, frameRate, codec: 'h264', crf, signal });
  try {
    for (const frame of frames) {
      throwIfCanceled(signal);
      await encoder.write(frame);
    }
    await encoder.finish();
  } finally {
    await encoder.abort();
  }
}

function shortest(columns: readonly LabelledFrames[]): number {
  if (columns.length === 0) throw new RangeError('A film needs at least one clip.');
  return Math.min(...columns.map(({ frames }) => frames.length));
}

function cellOf([first]: readonly Rgb24Frame[], height: number): { width: number; height: number } {
  return { width: first === undefined ? 0 : Math.max(1, Math.round((first.width * height) / first.height)), height };
}

function even(length: number): number {
  return length + (length % 2);
}
