// Whether two checkpoints are the same, without reading gigabytes: all that is small, and the first values of every
// tensor, which differ between any two trainings.

import { createHash } from 'node:crypto';
import type { Checkpoint } from '../../weights/checkpoint.ts';
import { byteLengthOf } from '../../weights/tensor-source.ts';

/** Bytes of each tensor that are looked at. */
const sampleBytes = 64;

/**
 * 64 hexadecimal digits that do not depend on the folder of the checkpoint.
 * @param adapters of identifyAdapters(); null for the checkpoint alone
 */
export async function identifyModel(checkpoint: Checkpoint, adapters: string | null = null): Promise<string> {
  const { parts, modelIndex, schedulerConfig, tokenizers } = checkpoint;
  const hash = createHash('sha256');
  hash.update(JSON.stringify([modelIndex, schedulerConfig, ...tokenizers.values()]));
  if (adapters !== null) hash.update(adapters);
  for (const { config, weights } of parts.values()) {
    hash.update(JSON.stringify(config));
    const reader = await weights.open();
    try {
      for (const [name, info] of weights.tensors) {
        const sample = new Uint8Array(Math.min(sampleBytes, byteLengthOf(info)));
        await reader.read(name, 0, sample.length, sample);
        hash.update(JSON.stringify([name, info.dtype, info.dims])).update(sample);
      }
    } finally {
      await reader.close();
    }
  }
  return hash.digest('hex');
}
