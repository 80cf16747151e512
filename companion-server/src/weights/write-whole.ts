// Files that appear whole or not at all: written beside their place under another name, flushed to the disk, then
// renamed. Two writers of one file do not meet; the last one's file stays.

import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EditError } from '../errors.ts';
import { isAlive } from '../owned-name.ts';

/** Adds bytes to the end of the file; they may be reused when it resolves. */
export type Append = (bytes: Uint8Array) => Promise<void>;

/**
 * Makes the file `path` from what `write` appends. When `write` fails nothing is left behind.
 * Throws EditError: 'disk-full', 'output-unwritable'; and whatever `write` throws.
 */
export async function writeWhole(path: string, write: (append: Append) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
  let handle: FileHandle | undefined;
  try {
    handle = await open(temporary, 'wx');
    const file = handle;
    await write((bytes) => appendAll(file, bytes));
    await handle.sync();
    await handle.close();
    handle = undefined;
    await rename(temporary, path);
  } catch (error) {
    await handle?.close();
    await rm(temporary, { force: true });
    throw translateWriteError(path, error);
  }
}

/** Removes what writers in `dir` left that were killed while they wrote. Files of living processes stay. */
export async function removeAbandonedFiles(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const writer = /\.(\d+)\.[0-9a-f]{12}\.tmp$/.exec(name)?.[1];
    if (writer !== undefined && !isAlive(Number(writer))) {
      await rm(join(dir, name), { force: true });
    }
  }
}

async function appendAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, Math.min(bytes.length - written, 2 ** 30));
    written += bytesWritten;
  }
}

/** A failure to write as the EditError that a user can act on; other errors as they are. */
export function translateWriteError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error instanceof EditError) return error;
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new EditError('disk-full', `${path}: the disk is full.`, {
        hint: `Free some space on the disk of ${dirname(path)}.`,
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOENT':
    case 'ENOTDIR':
      return new EditError('output-unwritable', `${basename(path)} cannot be written to ${dirname(path)}.`, {
        hint: 'Choose a folder that exists and that you may write to.',
        cause: error,
      });
    default:
      return error;
  }
}
