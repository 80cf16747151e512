// Images of the demo world that no training has seen (models/demo/train/held_out.py), with masks of their objects.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Rgb24Frame } from '../../companion-server/src/media/frame.ts';
import { readFrames } from '../demo-world/pictures.ts';

export interface HeldOut {
  readonly frame: Rgb24Frame;
  /** How much of each pixel's latent cell the object covers, 0..255, [height * width]. */
  readonly mask: Uint8Array;
}

export async function readHeldOut(folder: string): Promise<readonly HeldOut[]> {
  const { width, height, cell } = JSON.parse(await readFile(path.join(folder, 'scenes.json'), 'utf8')) as Readonly<
    Record<string, number>
  >;
  if (width === undefined || height === undefined || cell === undefined) {
    throw new Error(`scenes.json of ${folder} must have width, height and cell.`);
  }
  const cells = await promisify(gunzip)(await readFile(path.join(folder, 'mask.bin.gz')));
  const [columns, rows] = [width / cell, height / cell];
  const frames = await readFrames(path.join(folder, 'scenes.mkv'));
  return frames.map((frame, n) => {
    const mask = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = (n * rows + Math.floor(y / cell)) * columns + Math.floor(x / cell);
        mask[y * width + x] = cells[at] ?? 0;
      }
    }
    return { frame, mask };
  });
}
