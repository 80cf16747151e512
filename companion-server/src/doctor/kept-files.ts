// What the program keeps only to be faster, and makes again when it is gone: inverted clips, and copies of weights.

import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  clearInversions,
  inversionsDirIn,
  listInversions,
  type KeptInversion,
} from '../engine/source-cache/inversion-cache.ts';
import { isMissing } from '../files/disk-error.ts';

export interface KeptFolders {
  readonly dataDir: string;
  readonly cacheDir: string;
}

export interface KeptWeights {
  readonly name: string;
  readonly sizeBytes: number;
}

export interface KeptFiles {
  /** The last used first. */
  readonly inversions: readonly KeptInversion[];
  readonly weights: readonly KeptWeights[];
}

export interface Cleared {
  readonly count: number;
  readonly sizeBytes: number;
}

/** Where inverted clips are kept. */
export const inversionsDir = ({ dataDir }: Pick<KeptFolders, 'dataDir'>): string => inversionsDirIn(dataDir);
const weightsDir = ({ cacheDir }: KeptFolders): string => join(cacheDir, 'weights');

export async function listKeptFiles(folders: KeptFolders): Promise<KeptFiles> {
  return {
    inversions: await listInversions(inversionsDir(folders)),
    weights: await listWeights(weightsDir(folders)),
  };
}

/** Removes all files of a kind. A running edit is not disturbed; files that it makes again may be there afterwards. */
export async function clearKeptFiles(folders: KeptFolders, kind: keyof KeptFiles): Promise<Cleared> {
  if (kind === 'inversions') return clearInversions(inversionsDir(folders));
  const dir = weightsDir(folders);
  const copies = await listWeights(dir);
  for (const { name } of copies) await rm(join(dir, name), { force: true });
  return { count: copies.length, sizeBytes: copies.reduce((sum, copy) => sum + copy.sizeBytes, 0) };
}

/** Copies that are whole; one that is being written has another ending. */
async function listWeights(dir: string): Promise<readonly KeptWeights[]> {
  const names = await readdir(dir).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return Promise.all(
    names
      .filter((name) => name.endsWith('.safetensors'))
      .map(async (name) => ({ name, sizeBytes: (await stat(join(dir, name))).size })),
  );
}
