// Whether a checkpoint on the disk is still what was downloaded.

import { join } from 'node:path';
import { EditError } from '../errors.ts';
import { openCheckpoint, type CheckpointReading } from '../families/open-checkpoint.ts';
import { requireLoadable } from '../families/require-loadable.ts';
import { sha256OfFile } from '../files/sha256.ts';
import { translateReadError } from '../weights/read-range.ts';
import type { CatalogModel } from './catalog-file.ts';
import { readManifest, type PulledFile } from './manifest.ts';

export interface Verification {
  /** Files whose hash was compared; 0 for a folder that was not pulled, of which no hashes are known. */
  readonly checkedFiles: number;
  /** A sentence for everything that is wrong; empty when all is well. */
  readonly faults: readonly string[];
}

export interface VerifyOptions {
  /** The catalogue's entry of the model, where it has one. */
  readonly known?: CatalogModel | undefined;
  /** How it is read. Throws EditError where that cannot be told. Default: as it says itself. */
  readonly reading?: () => Promise<CheckpointReading>;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Hashes every downloaded file again, and opens the checkpoint as the engine does. Throws CanceledError. */
export async function verifyModel(dir: string, options: VerifyOptions = {}): Promise<Verification> {
  const { known, reading, onProgress, signal } = options;
  const faults: string[] = [];
  const note = (error: unknown): void => {
    if (!(error instanceof EditError)) throw error;
    faults.push(error.message);
  };
  let files: readonly PulledFile[] = [];
  let hub = known?.hub;
  try {
    const record = await readManifest(dir);
    files = record?.files ?? [];
    // The catalogue may have another commit now.
    if (record?.revision !== hub?.revision) hub = undefined;
  } catch (error) {
    note(error);
  }
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let doneBytes = 0;
  for (const file of files) {
    const path = join(dir, ...file.path.split('/'));
    const expected = hub?.files.find((one) => one.path === file.path)?.sha256 ?? file.sha256;
    try {
      const onBytes = (count: number): void => {
        doneBytes += count;
        onProgress?.(doneBytes, totalBytes);
      };
      const found = await sha256OfFile(path, { signal, onBytes });
      if (found !== expected) faults.push(`${path}: its SHA-256 is ${found}, not ${expected}.`);
    } catch (error) {
      note(translateReadError(path, error));
    }
  }
  try {
    await requireLoadable(await openCheckpoint(dir, await reading?.()));
  } catch (error) {
    note(error);
  }
  return { checkedFiles: files.length, faults: [...new Set(faults)] };
}
