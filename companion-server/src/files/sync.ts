// Flushes written and renamed files to the disk: after that they survive a power failure.

import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A folder that cannot be opened or flushed: not by this user, or not on this file system (some network disks). */
const unableCodes: readonly unknown[] = ['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP'];

/** Returns when the content of the file at `path` is on the disk, also if another process wrote it. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  await handle.sync().finally(() => handle.close());
}

/** Returns when the names that were made, changed or removed in the folder are on the disk, where the system can tell. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder for that, and need not: NTFS keeps a journal of names.
  if (process.platform === 'win32') return;
  try {
    const handle = await open(path, 'r');
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    // The files themselves are complete; nothing more can be done for their names.
    if (!unableCodes.includes((error as NodeJS.ErrnoException).code)) throw error;
  }
}

/** Renames within one file system, replacing an existing file, and flushes the new name to the disk. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(dirname(to));
}
