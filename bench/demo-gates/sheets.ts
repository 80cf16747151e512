// The pictures of README and model card.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createCanvas, drawPicture, type Rgb } from '../../companion-server/src/demo/canvas.ts';
import { writeContactSheet } from '../../companion-server/src/demo/contact-sheet.ts';
import { drawText, lineHeight, textWidth } from '../../companion-server/src/demo/text.ts';
import { encodePng } from '../../companion-server/src/media/encode/png.ts';
import type { Rgb24Frame } from '../../companion-server/src/media/frame.ts';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';

const paper: Rgb = [24, 24, 27];
const ink: Rgb = [228, 228, 231];
const gap = 4;
/** Pixels of a cell's edge: sheets stay below 400 KB. */
const cell = 72;
const clipCell = 88;

export interface Sheets {
  /** A row per clip, columns at the same moments. */
  clips(name: string, rows: readonly { readonly label: string; readonly file: string }[]): Promise<void>;
  /** Square pictures row by row, under the names of the columns. */
  grid(
    name: string,
    rows: readonly string[],
    columns: readonly string[],
    pictures: readonly Rgb24Frame[],
  ): Promise<void>;
}

/** Sheets go to `folder` as `NAME.png`; it is made when missing. */
export function createSheets(folder: string, log: (line: string) => void): Sheets {
  const fileOf = async (name: string): Promise<string> => {
    await mkdir(folder, { recursive: true });
    const file = path.join(folder, `${name}.png`);
    log(`picture: ${file}`);
    return file;
  };
  return {
    async clips(name, rows) {
      const clips = await Promise.all(rows.map(async ({ label, file }) => ({ label, clip: await probeClip(file) })));
      await writeContactSheet(await fileOf(name), clips, { columns: 6, cellWidth: clipCell });
    },
    async grid(name, rows, columns, pictures) {
      await writeFile(await fileOf(name), encodePng(drawGrid(rows, columns, pictures)));
    },
  };
}

function drawGrid(rows: readonly string[], columns: readonly string[], pictures: readonly Rgb24Frame[]): Rgb24Frame {
  const left = Math.max(...rows.map((row) => textWidth(row, 'text'))) + 2 * gap;
  const top = lineHeight('text') + gap;
  const pitch = cell + gap;
  const size = { width: left + columns.length * pitch, height: top + rows.length * pitch };
  const canvas = createCanvas(size, paper);
  columns.forEach((column, i) => drawText(canvas, column, left + i * pitch, gap, { colour: ink }));
  rows.forEach((row, i) => drawText(canvas, row, gap, top + i * pitch + cell / 2, { colour: ink }));
  for (const [i, picture] of pictures.entries()) {
    const x = left + (i % columns.length) * pitch;
    const y = top + Math.floor(i / columns.length) * pitch;
    drawPicture(canvas, shrink(picture, cell), x, y);
  }
  return canvas;
}

/** A square picture at a smaller edge, every pixel the mean of the area that it covers. */
function shrink({ index, width, rgb }: Rgb24Frame, edge: number): Rgb24Frame {
  const scale = width / edge;
  const out = new Uint8Array(3 * edge * edge);
  for (let y = 0; y < edge; y++) {
    for (let x = 0; x < edge; x++) {
      const [x0, x1, y0, y1] = [x * scale, (x + 1) * scale, y * scale, (y + 1) * scale];
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let sy = Math.floor(y0); sy < y1; sy++) {
          const high = Math.min(sy + 1, y1) - Math.max(sy, y0);
          for (let sx = Math.floor(x0); sx < x1; sx++) {
            const wide = Math.min(sx + 1, x1) - Math.max(sx, x0);
            sum += high * wide * (rgb[3 * (sy * width + sx) + channel] ?? 0);
          }
        }
        out[3 * (y * edge + x) + channel] = Math.round(sum / (scale * scale));
      }
    }
  }
  return { index, width: edge, height: edge, pixelFormat: 'rgb24', rgb: out };
}
