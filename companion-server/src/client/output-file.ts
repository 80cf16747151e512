// The file that a result is written to: beside its final name until it is whole.

import { open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EditError } from '../errors.ts';
import { removeAtExit } from '../exit-cleanup.ts';
import { createOwnedName, isOwnerGone } from '../owned-name.ts';

export interface OutputFile {
  /** Open for writing. */
  readonly file: FileHandle;
  /** Makes the file durable and gives it its final name; replaces what is there. */
  commit(): Promise<void>;
  /** Removes the file. Does nothing after `commit` succeeded. */
  discard(): Promise<void>;
}

/**
 * Opens a partial file next to `path`, and removes those of processes that have ended. Throws EditError
 * 'output-unwritable'.
 */
export async function openOutput(path: string): Promise<OutputFile> {
  await removeStale(path);
  const partialPath = join(dirname(path), partialPrefix(path) + createOwnedName());
  const file = await openNew(partialPath, path);
  const forget = removeAtExit(partialPath);
  let isOpen = true;

  async function close(): Promise<void> {
    if (isOpen) await file.close();
    isOpen = false;
  }

  return {
    file,
    async commit() {
      await file.sync();
      await close();
      try {
        await rename(partialPath, path);
      } catch (error) {
        throw toUnwritable(error, path);
      }
      forget();
    },
    async discard() {
      await close();
      await rm(partialPath, { force: true });
      forget();
    },
  };
}

function partialPrefix(path: string): string {
  return `.${basename(path)}.partial-`;
}

async function removeStale(path: string): Promise<void> {
  const folder = dirname(path);
  // A folder that cannot be read is reported by the attempt to write there.
  for (const name of await readdir(folder).catch(() => [])) {
    const isPartial = name.startsWith(partialPrefix(path));
    if (isPartial && isOwnerGone(name)) await rm(join(folder, name), { force: true });
  }
}

async function openNew(partialPath: string, path: string): Promise<FileHandle> {
  try {
    return await open(partialPath, 'wx');
  } catch (error) {
    throw toUnwritable(error, path);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is a file',
  EISDIR: 'it is a folder',
  EACCES: 'there is no permission to write there',
  EPERM: 'there is no permission to write there',
  EROFS: 'the disk is read-only',
  ENAMETOOLONG: 'its name is too long',
};

function toUnwritable(error: unknown, path: string): EditError {
  const { code = 'unknown', message } = error as NodeJS.ErrnoException;
  return new EditError('output-unwritable', `The output ${path} cannot be written: ${reasons[code] ?? message}.`, {
    hint: 'Name another file with --out FILE.',
    cause: error,
  });
}
