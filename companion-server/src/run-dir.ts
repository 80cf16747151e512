// The data folder of a server that runs for one command: below the cache folder, and gone with the command. What a
// killed command left is removed by the next one.

import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { toDiskError } from './files/disk-error.ts';
import { removeAtExit } from './files/exit-cleanup.ts';
import { createOwnedName, isOwnerGone } from './files/owned-name.ts';

export interface RunDir {
  /** Absolute if `cacheDir` is. */
  readonly path: string;
  /** Removes the folder with all that is in it. */
  remove(): Promise<void>;
}

/**
 * Makes a folder for this process, and removes those of processes that have ended. Throws EditError
 * 'output-unwritable' when that is not possible below `cacheDir`.
 */
export async function createRunDir(cacheDir: string): Promise<RunDir> {
  try {
    return await makeRunDir(cacheDir);
  } catch (error) {
    throw toDiskError(error, cacheDir, {
      what: `The cache folder ${cacheDir} cannot be used`,
      whenFull: 'Free some space, or set TOKENFLOW_CACHE to a folder on a larger disk.',
      whenRefused: 'Set TOKENFLOW_CACHE to a folder that can be written.',
    });
  }
}

async function makeRunDir(cacheDir: string): Promise<RunDir> {
  const parent = join(cacheDir, 'run');
  await mkdir(parent, { recursive: true });
  await removeStale(parent);
  const path = join(parent, createOwnedName());
  const forget = removeAtExit(path);
  await mkdir(path, { mode: 0o700 });
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
      forget();
    },
  };
}

async function removeStale(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (isOwnerGone(name)) await rm(join(parent, name), { recursive: true, force: true });
  }
}
