// Why an edit failed whose weights were in files that changed under it. A mapped file that becomes shorter ends the process
// that reads it, and ONNX Runtime says of a file that has gone only what its own call was: the files themselves tell more.

import { EditError } from '../../errors.ts';
import { openCheckpoint } from '../../families/open-checkpoint.ts';
import { replaceVae } from '../../families/replace-vae.ts';
import { openLora } from '../../weights/lora/lora-file.ts';
import { readEmbedding } from '../../weights/textual-inversion.ts';
import type { EditJob } from '../run/edit-job.ts';

export type ModelFiles = Pick<EditJob, 'modelDir' | 'reading' | 'device' | 'loras' | 'embeddings' | 'vae'>;

/** What a file that is gone or cut is called. Whether a model suits the program is no question of its files. */
const faults: readonly string[] = ['model-missing', 'model-damaged', 'adapter-missing', 'adapter-damaged'];

/**
 * The first fault of the files that an edit reads its weights from, as opening them would say it; null where there is none.
 * Only headers are read, and compared with the sizes of their files.
 */
export async function faultOfFiles(files: ModelFiles): Promise<EditError | null> {
  try {
    await openAll(files);
    return null;
  } catch (error) {
    if (error instanceof EditError && faults.includes(error.code)) return error;
    if (error instanceof EditError) return null;
    throw error;
  }
}

async function openAll({
  modelDir,
  reading,
  device,
  loras = [],
  embeddings = [],
  vae = null,
}: ModelFiles): Promise<void> {
  const variants = device === 'cpu' ? [{}] : [{}, { variant: 'fp16' }];
  for (const variant of variants) {
    await replaceVae(await openCheckpoint(modelDir, { ...reading, vae, ...variant }), vae, variant);
  }
  for (const lora of loras) if (lora.strength !== 0) await openLora(lora);
  for (const embedding of embeddings) await readEmbedding(embedding);
}
