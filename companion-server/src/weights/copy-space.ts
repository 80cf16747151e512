// Whether all copies of a checkpoint's weights fit onto the disk, asked before the first of them is made.

import { mkdir } from 'node:fs/promises';
import { explainingDisk } from '../files/disk-error.ts';
import { advice, requireSpace } from './copy-room.ts';
import { missingCopyBytes } from './float32-copy.ts';
import type { TensorSource } from './tensor-source.ts';

/**
 * Throws EditError('disk-full') with the need of all `sources` together, where their float32 copies do not fit.
 * @param cacheDir where copies are kept; made when missing and needed
 */
export async function requireSpaceForCopies(sources: readonly TensorSource[], cacheDir: string): Promise<void> {
  const bytes = await Promise.all(sources.map((source) => missingCopyBytes(source, cacheDir)));
  const neededBytes = bytes.reduce((sum, one) => sum + one, 0);
  if (neededBytes === 0) return;
  await explainingDisk(cacheDir, advice, () => mkdir(cacheDir, { recursive: true }));
  await requireSpace(cacheDir, neededBytes, 'the single-precision copy of all weights of the checkpoint');
}
