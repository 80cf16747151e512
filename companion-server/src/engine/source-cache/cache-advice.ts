// Failures to write in the cache folder, and in the work folder of an edit, which a server keeps in its data folder:
// jobs/edit-executor.ts names the other setting there.

import { isFullDisk, toDiskError, type DiskAdvice } from '../../files/disk-error.ts';

export const cacheAdvice: DiskAdvice = {
  whenFull: 'Free some space or set TOKENFLOW_CACHE to a folder on another disk.',
  whenRefused: 'Set TOKENFLOW_CACHE to a folder that you may write to.',
};

/** A failed write to the file at `path` as `toDiskError` explains it. */
export function diskError(path: string, error: unknown): unknown {
  const advice = isFullDisk(error) ? { ...cacheAdvice, what: `${path} can't grow` } : cacheAdvice;
  return toDiskError(error, path, advice);
}
