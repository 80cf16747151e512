// Files that appear completely or not at all: written in the same folder under a hidden name, flushed to the disk, then
// renamed. Two writers of one file do not disturb each other; the last one's file stays. A killed writer leaves a part
// with its process id in the name: the next writer of the same file removes it.

import { randomBytes } from 'node:crypto';
import { open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { explainingDisk, type DiskAdvice } from './disk-error.ts';
import { removeAtExit } from './exit-cleanup.ts';
import { isAlive } from './owned-name.ts';
import { renameDurably } from './sync.ts';
import { writeAt } from './write-at.ts';

/** Who may read a new file. Default: as the process's umask has it. */
export interface FileMode {
  readonly mode?: number;
}

/** A file that does not have its final name yet. */
export interface PartOfFile {
  /** Where the part is: exists, empty. Another program may write to it by this path. */
  readonly path: string;
  /** Open for writing. */
  readonly file: FileHandle;
  /** Makes the file durable and gives it its final name, replacing what is there. Throws as `openPart` does. */
  commit(): Promise<void>;
  /** Removes the part. Does nothing after `commit` succeeded. */
  discard(): Promise<void>;
}

/**
 * Opens a part beside the file `finalPath`, which goes with this process where neither `commit` nor `discard` is called.
 * Throws EditError 'disk-full', 'output-unwritable', 'limit-reached', with the advice.
 */
export async function openPart(
  finalPath: string,
  advice: DiskAdvice = {},
  { mode }: FileMode = {},
): Promise<PartOfFile> {
  const whole = resolve(finalPath);
  await removeAbandoned(dirname(whole), basename(whole));
  const name = `.${basename(whole)}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
  const path = join(dirname(whole), name);
  const file = await explainingDisk(finalPath, advice, () => open(path, 'wx', mode));
  const forget = removeAtExit(path);
  return {
    path,
    file,
    commit: () =>
      explainingDisk(finalPath, advice, async () => {
        await file.sync();
        await file.close();
        await renameDurably(path, whole);
        forget();
      }),
    async discard() {
      await file.close();
      await rm(path, { force: true });
      forget();
    },
  };
}

/** Adds bytes to the end of the file; they may be reused when it resolves. */
export type Append = (bytes: Uint8Array) => Promise<void>;

/**
 * Makes the file `path` from a text or from what `content` appends. When that fails nothing is left behind. Throws as
 * `openPart` does, and whatever `content` throws.
 */
export async function writeWhole(
  path: string,
  content: string | ((append: Append) => Promise<void>),
  advice: DiskAdvice = {},
  mode: FileMode = {},
): Promise<void> {
  const part = await openPart(path, advice, mode);
  let sizeBytes = 0;
  const append: Append = (bytes) => {
    const position = sizeBytes;
    sizeBytes += bytes.length;
    return explainingDisk(path, advice, () => writeAt(part.file, bytes, position));
  };
  try {
    await (typeof content === 'string' ? append(Buffer.from(content)) : content(append));
    await part.commit();
  } catch (error) {
    await part.discard();
    throw error;
  }
}

/**
 * Removes what writers in the folder left that were killed while they wrote: of any file, or of the one of this name. Parts
 * of living processes stay.
 */
export async function removeAbandoned(folder: string, fileName?: string): Promise<void> {
  // A folder that cannot be read is reported by the attempt to write there.
  for (const name of await readdir(folder).catch(() => [])) {
    const [, written, writer] = /^\.?(.+)\.(\d+)\.[0-9a-f]{12}\.tmp$/.exec(name) ?? [];
    const isMeant = fileName === undefined || written === fileName;
    if (isMeant && writer !== undefined && !isAlive(Number(writer))) await rm(join(folder, name), { force: true });
  }
}
