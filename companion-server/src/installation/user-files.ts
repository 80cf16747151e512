// What the program has kept for its user: at the end only the results stay.

import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { removeEmptyFolders } from './apply-entries.ts';

export interface UserFolders {
  readonly dataDir: string;
  readonly cacheDir: string;
}

/** The folder in the data folder that results are moved to. */
export const keptResults = 'results';

/**
 * Removes both folders but for finished results, which are moved to one folder. The server must not run. Returns that folder, or null
 * when there are none. `home`: empty folders below it go as well.
 */
export async function removeUserFiles({ dataDir, cacheDir }: UserFolders, home: string): Promise<string | null> {
  const kept = path.join(dataDir, keptResults);
  for (const { job, file } of await resultsIn(dataDir)) {
    await mkdir(kept, { recursive: true, mode: 0o700 });
    await rename(path.join(dataDir, 'jobs', job, file), path.join(kept, `${job.slice(0, 8)}${path.extname(file)}`));
  }
  // On Windows the data folder is in the cache folder.
  await removeAllBut(dataDir, kept);
  await removeAllBut(cacheDir, dataDir);
  for (const folder of [dataDir, cacheDir]) await removeEmptyFolders(folder, home);
  return (await namesIn(kept)).length > 0 ? kept : null;
}

async function removeAllBut(folder: string, kept: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    const file = path.join(folder, name);
    if (file !== kept) await rm(file, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function resultsIn(dataDir: string): Promise<{ readonly job: string; readonly file: string }[]> {
  const jobs = await namesIn(path.join(dataDir, 'jobs'));
  const found = await Promise.all(
    jobs.map(async (job) => {
      const files = await namesIn(path.join(dataDir, 'jobs', job));
      return files.filter((file) => /^result\.\w+$/.test(file)).map((file) => ({ job, file }));
    }),
  );
  return found.flat();
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
