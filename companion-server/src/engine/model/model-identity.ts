// Whether two checkpoints are the same, without reading gigabytes: all that is small, and the first values of every
// tensor, which differ between any two trainings.

import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import type { Checkpoint } from '../../weights/checkpoint.ts';

/** Bytes of each tensor that are looked at. */
const sampleBytes = 64;

/** 64 hexadecimal digits that do not depend on where the checkpoint lies. */
export async function identifyModel(checkpoint: Checkpoint): Promise<string> {
  const { unet, vae, textEncoder, schedulerConfig, tokenizer } = checkpoint;
  const hash = createHash('sha256');
  hash.update(JSON.stringify([schedulerConfig, tokenizer]));
  for (const { config, weights } of [unet, vae, textEncoder]) {
    hash.update(JSON.stringify(config));
    const files = new Map<string, FileHandle>();
    try {
      for (const [name, { dtype, dims, file, byteOffset, byteLength }] of weights) {
        const handle = files.get(file) ?? (await open(file, 'r'));
        files.set(file, handle);
        const sample = new Uint8Array(Math.min(sampleBytes, byteLength));
        await handle.read(sample, 0, sample.length, byteOffset);
        hash.update(JSON.stringify([name, dtype, dims])).update(sample);
      }
    } finally {
      for (const handle of files.values()) await handle.close();
    }
  }
  return hash.digest('hex');
}
