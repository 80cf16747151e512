// A small file that is replaced as a whole, and is on the disk afterwards even if the power fails.

import { open, rename } from 'node:fs/promises';
import path from 'node:path';

/** Writes beside the file, syncs, and renames; then syncs the folder, so that the new name lasts as well. */
export async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(`${file}.new`, 'w');
  try {
    await handle.writeFile(text);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  await syncFolder(path.dirname(file));
}

/** Makes lasting what was made, renamed or removed in the folder. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder for that, and need not: NTFS keeps a journal of names.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
