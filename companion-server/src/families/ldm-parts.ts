// What the families find in checkpoints in one file in the same way.

import type { StoredTensors } from '../tensor/stored-tensor.ts';
import type { JsonObject } from '../weights/json-file.ts';
import type { FilePart } from './family.ts';
import type { FileShapes } from './refused-files.ts';

export const unetPrefix = 'model.diffusion_model.';

/** Null where the file has none of its tensors. */
export function filePart(weights: StoredTensors, config: JsonObject): FilePart | null {
  return weights.size === 0 ? null : { config, weights };
}

/** Width of the text that the UNet reads; undefined where it has no transformers. */
export function contextWidth(tensors: FileShapes): number | undefined {
  const key = findKey(tensors, /^model\.diffusion_model\.input_blocks\..*\.0\.attn2\.to_k\.weight$/);
  return key === undefined ? undefined : tensors.get(key)?.dims[1];
}

/** The first key that fits. */
export function findKey(tensors: FileShapes, pattern: RegExp): string | undefined {
  for (const key of tensors.keys()) if (pattern.test(key)) return key;
  return undefined;
}
