// The files of merged weights in the folder of copies: how they are named, and which go when there are too many. A new
// strength of a LoRA makes new ones, so that, unlike copies of a checkpoint, they would add up.

import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { freeBytesAt } from '../../files/free-space.ts';

/** Most bytes of merged weights that are kept. */
export const mergedBudgetBytes = 10e9;

const prefix = 'lora-';

/** The file of the merged weights with this fingerprint. */
export function mergedFile(cacheDir: string, fingerprint: string): string {
  return join(cacheDir, `${prefix}${fingerprint}.safetensors`);
}

/** Notes that the file is used now. A file system that refuses this only forgets which is the longest unused. */
export async function markUsed(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now).catch(() => undefined);
}

/**
 * Removes the longest unused files of merged weights until `neededBytes` more fit into the budget and onto the disk, or
 * none is left that may go.
 * @param inUse files that stay
 */
export async function makeRoom(
  cacheDir: string,
  neededBytes: number,
  inUse: ReadonlySet<string>,
  budgetBytes = mergedBudgetBytes,
): Promise<void> {
  const kept = (await listMerged(cacheDir)).sort((a, b) => a.usedMs - b.usedMs);
  let totalBytes = kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  for (const { file, sizeBytes } of kept.filter((copy) => !inUse.has(copy.file))) {
    const fits = totalBytes + neededBytes <= budgetBytes && (await freeBytesAt(cacheDir)) >= neededBytes;
    if (fits) return;
    // On Windows a file that another process maps stays.
    await rm(file, { force: true }).catch(() => undefined);
    totalBytes -= sizeBytes;
  }
}

async function listMerged(cacheDir: string) {
  const names = (await readdir(cacheDir)).filter((name) => name.startsWith(prefix) && name.endsWith('.safetensors'));
  const found = await Promise.all(
    names.map(async (name) => {
      const file = join(cacheDir, name);
      // Another process may have removed it.
      const facts = await stat(file).catch(() => null);
      return facts === null ? [] : [{ file, sizeBytes: facts.size, usedMs: facts.mtimeMs }];
    }),
  );
  return found.flat();
}
