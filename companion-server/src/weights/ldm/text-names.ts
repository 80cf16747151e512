// The text encoders of checkpoints in one file: keys become those of transformers' CLIPTextModel, and OpenCLIP's packed
// projections of attention three. No byte is moved.

import type { StoredTensor, StoredTensors } from '../../tensor/stored-tensor.ts';
import { renamed } from './prefix.ts';

/**
 * The weights of a CLIP text encoder that has transformers' keys already, without the prefix in front of `text_model.`. Old
 * files lack `text_model.`: it is put in. What is no part of it, such as position_ids and logit_scale, is left out.
 */
export function clipTextNames<T>(entries: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  return renamed(entries, (key) => {
    if (key.endsWith('position_ids')) return null;
    if (/^(embeddings|encoder|final_layer_norm)\./.test(key)) return `text_model.${key}`;
    return /^(text_model|text_projection)\./.test(key) ? key : null;
  });
}

const outsideOfLayers: Readonly<Record<string, string>> = {
  'token_embedding.weight': 'text_model.embeddings.token_embedding.weight',
  positional_embedding: 'text_model.embeddings.position_embedding.weight',
  'ln_final.weight': 'text_model.final_layer_norm.weight',
  'ln_final.bias': 'text_model.final_layer_norm.bias',
};

const insideOfLayers: Readonly<Record<string, string>> = {
  ln_1: 'layer_norm1',
  ln_2: 'layer_norm2',
  'mlp.c_fc': 'mlp.fc1',
  'mlp.c_proj': 'mlp.fc2',
  'attn.out_proj': 'self_attn.out_proj',
};

const packed = ['q_proj', 'k_proj', 'v_proj'] as const;

/**
 * The weights of an OpenCLIP text encoder under transformers' keys. Takes keys without the prefix in front of
 * `transformer.resblocks.`. `text_projection` [width, projected] keeps its name: it is the transpose of transformers'
 * `text_projection.weight`, and to transpose means to copy.
 */
export function openClipTextNames(weights: StoredTensors): StoredTensors {
  const found: [string, StoredTensor][] = [];
  for (const [key, stored] of weights) {
    const [, layer, inner = ''] = /^transformer\.resblocks\.(\d+)\.(.+)$/.exec(key) ?? [];
    if (layer === undefined) {
      const name = key === 'text_projection' ? key : outsideOfLayers[key];
      if (name !== undefined) found.push([name, stored]);
      continue;
    }
    const block = `text_model.encoder.layers.${layer}`;
    const [, projection] = /^attn\.in_proj_(weight|bias)$/.exec(inner) ?? [];
    if (projection !== undefined) {
      packed.forEach((name, third) => found.push([`${block}.self_attn.${name}.${projection}`, thirdOf(stored, third)]));
      continue;
    }
    const [, stem = '', last = ''] = /^(.*)\.(weight|bias)$/.exec(inner) ?? [];
    const name = insideOfLayers[stem];
    if (name !== undefined) found.push([`${block}.${name}.${last}`, stored]);
  }
  return new Map(found);
}

/** Rows [third*D, (third+1)*D) of [3D, ...], which lie together. Rows that are no multiple of three are left as they are. */
function thirdOf(stored: StoredTensor, third: number): StoredTensor {
  const [rows = 0, ...rest] = stored.dims;
  if (rows % 3 !== 0) return stored;
  const byteLength = stored.byteLength / 3;
  return { ...stored, dims: [rows / 3, ...rest], byteOffset: stored.byteOffset + third * byteLength, byteLength };
}
