// How much of a disk a folder takes.

import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/** Bytes on the disk of the files directly in `folder`; 0 where there is no such folder. */
export async function takenBytes(folder: string): Promise<number> {
  return sumOf(folder, () => Promise.resolve(0));
}

/** Bytes on the disk of all files below `folder`, links not followed. What goes away meanwhile counts nothing. */
export async function takenBytesBelow(folder: string): Promise<number> {
  return sumOf(folder, takenBytesBelow);
}

async function sumOf(folder: string, inside: (folder: string) => Promise<number>): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  let sum = 0;
  for (const entry of entries) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) sum += await inside(file);
    else if (entry.isFile()) sum += bytesOnDisk(await stat(file).catch(() => undefined));
  }
  return sum;
}

/** Latents have holes where nothing was written yet. Windows counts no blocks. */
function bytesOnDisk(found: Stats | undefined): number {
  if (found === undefined) return 0;
  return Number.isFinite(found.blocks) ? Math.min(found.size, 512 * found.blocks) : found.size;
}
