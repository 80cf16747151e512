// What the families find in checkpoints in one file in the same way.

import type { StoredTensors } from '../tensor/stored-tensor.ts';
import type { JsonObject } from '../weights/json-file.ts';
import { under } from '../weights/ldm/prefix.ts';
import { ldmVaeNames } from '../weights/ldm/vae-names.ts';
import { modernVaeNames } from '../weights/vae-attention-names.ts';
import type { FilePart } from './family.ts';
import { countOf } from './ldm-configs.ts';
import type { FileShapes } from './refused-files.ts';

export const unetPrefix = 'model.diffusion_model.';
const vaePrefixes = ['first_stage_model.', 'vae.'];

/** The VAE of a checkpoint, or a file that is nothing but a VAE, under diffusers' names; empty where there is none. */
export function vaeOf(tensors: StoredTensors): StoredTensors {
  const isAlone = tensors.has('decoder.conv_in.weight') && tensors.has('encoder.conv_in.weight');
  const own = isAlone ? tensors : under(tensors, ...vaePrefixes);
  return countOf(own, 'encoder.down_blocks.') > 0 ? modernVaeNames(own) : ldmVaeNames(own);
}

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
