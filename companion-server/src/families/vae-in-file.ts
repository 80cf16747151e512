// The VAE among the tensors of a file: alone or with the rest of a checkpoint, in the names of the original code or of diffusers.

import type { StoredTensors } from '../tensor/stored-tensor.ts';
import { under } from '../weights/ldm/prefix.ts';
import { ldmVaeNames } from '../weights/ldm/vae-names.ts';
import { modernVaeNames } from '../weights/vae-attention-names.ts';
import { countOf } from './ldm-configs.ts';

const prefixes = ['first_stage_model.', 'vae.'];

/** Under diffusers' keys; empty where the file has none. */
export function vaeIn(tensors: StoredTensors): StoredTensors {
  const isAlone = tensors.has('decoder.conv_in.weight') && tensors.has('encoder.conv_in.weight');
  const own = isAlone ? tensors : under(tensors, ...prefixes);
  return countOf(own, 'encoder.down_blocks.') > 0 ? modernVaeNames(own) : ldmVaeNames(own);
}
