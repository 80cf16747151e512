// A result is written whole or not at all: to a hidden name in the same folder, which is renamed at the end.

import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { EditError } from '../errors.ts';

/** A file that is being written. */
export interface PartialFile {
  /** Where to write for now. Exists already, empty. */
  readonly path: string;
  /** Puts the file in its place, replacing what was there. Throws EditError as `createPartialFile` does. */
  commit(): Promise<void>;
  /** Removes what has been written. Does nothing after `commit`. */
  discard(): Promise<void>;
}

/**
 * Reserves a name beside `finalPath`. Throws EditError `output-unwritable` when the folder is missing or refuses,
 * `disk-full`.
 */
export async function createPartialFile(finalPath: string): Promise<PartialFile> {
  const { dir, name, ext } = path.parse(path.resolve(finalPath));
  const partialPath = path.join(dir, `.${name}.${randomBytes(4).toString('hex')}.part${ext}`);
  await explained(finalPath, async () => (await open(partialPath, 'wx')).close());
  return {
    path: partialPath,
    commit: () =>
      explained(finalPath, async () => {
        const handle = await open(partialPath, 'r+');
        await handle.sync().finally(() => handle.close());
        await rename(partialPath, finalPath);
      }),
    discard: () => rm(partialPath, { force: true }),
  };
}

/** Removes what a killed process left of writing `finalPath`. For the parent of a crashed engine. */
export async function removePartialFiles(finalPath: string): Promise<void> {
  const { dir, name, ext } = path.parse(path.resolve(finalPath));
  const isPartial = (file: string) =>
    file.startsWith(`.${name}.`) && /^[0-9a-f]{8}\.part$/.test(file.slice(name.length + 2, -ext.length));
  const files = await readdir(dir);
  const leftovers = files.filter((file) => file.endsWith(ext) && isPartial(file));
  await Promise.all(leftovers.map((file) => rm(path.join(dir, file), { force: true })));
}

async function explained(finalPath: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new EditError('disk-full', `The disk is full: cannot write "${finalPath}".`, {
        hint: 'Free some space or choose another folder, then start the edit again.',
        cause: error,
      });
    }
    const reasons: Partial<Record<string, string>> = {
      ENOENT: 'its folder does not exist',
      ENOTDIR: 'its folder is a file',
      EISDIR: 'it is a folder',
      EACCES: 'permission denied',
      EPERM: 'permission denied',
      EROFS: 'the disk is read-only',
      EBUSY: 'another program has it open',
    };
    const reason = reasons[code ?? ''] ?? (error instanceof Error ? error.message : String(error));
    throw new EditError('output-unwritable', `Cannot write "${finalPath}": ${reason}.`, {
      hint: 'Choose a folder that exists and that you may write to, and close the file elsewhere.',
      cause: error,
    });
  }
}
