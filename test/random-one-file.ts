// Checkpoints of random weights in one file, with the keys of the original code and any size.

import { invertUNet, invertVae } from './fixtures/single-file.ts';
import type { UNetLayout } from './fixtures/checkpoint-layouts.ts';
import { writeRandomTensors, type RandomFloat, type Shapes } from './random-tensors.ts';

export interface OneFileParts {
  readonly unet: Shapes;
  readonly unetConfig: UNetLayout;
  readonly vae: Shapes;
  readonly vaeChannels: readonly number[];
  /** By the beginning of their keys; those of OpenCLIP have packed projections. */
  readonly texts: readonly { readonly prefix: string; readonly shapes: Shapes; readonly isOpenClip: boolean }[];
}

interface Named {
  readonly shape: readonly number[];
  /** In diffusers, by which the values are drawn. */
  readonly name: string;
}

const named = (shapes: Shapes): ReadonlyMap<string, Named> =>
  new Map([...shapes].map(([name, shape]) => [name, { name, shape }]));

/** Writes `file` and its folder. */
export async function writeRandomOneFile(file: string, parts: OneFileParts, float: RandomFloat): Promise<void> {
  const all = new Map<string, Named>();
  const add = (prefix: string, tensors: ReadonlyMap<string, Named>): void => {
    for (const [key, tensor] of tensors) all.set(prefix + key, tensor);
  };
  add('model.diffusion_model.', invertUNet(named(parts.unet), parts.unetConfig));
  add('first_stage_model.', invertVae(named(parts.vae), { block_out_channels: parts.vaeChannels }));
  for (const { prefix, shapes, isOpenClip } of parts.texts) add(prefix, isOpenClip ? openClip(shapes) : named(shapes));
  // One name may be in several parts: the values follow from its end alone.
  const keyOf = new Map([...all].map(([key, { name }]) => [`${key} ${name}`, key]));
  const shapes = new Map([...all].map(([key, { name, shape }]) => [`${key} ${name}`, shape]));
  const gain = (id: string): number => (id.endsWith(' conv_out.weight') ? 0.1 : 1);
  await writeRandomTensors(file, shapes, { float, gain, keyOf: (id) => keyOf.get(id) ?? id });
}

const outside: Readonly<Record<string, string>> = {
  'text_model.embeddings.token_embedding.weight': 'token_embedding.weight',
  'text_model.embeddings.position_embedding.weight': 'positional_embedding',
  'text_model.final_layer_norm.weight': 'ln_final.weight',
  'text_model.final_layer_norm.bias': 'ln_final.bias',
  'text_projection.weight': 'text_projection',
};
const inside: Readonly<Record<string, string>> = {
  'self_attn.out_proj': 'attn.out_proj',
  layer_norm1: 'ln_1',
  layer_norm2: 'ln_2',
  'mlp.fc1': 'mlp.c_fc',
  'mlp.fc2': 'mlp.c_proj',
};

function openClip(shapes: Shapes): ReadonlyMap<string, Named> {
  const found = new Map<string, Named>();
  for (const [name, shape] of shapes) {
    const known = outside[name];
    if (known !== undefined) found.set(known, { name, shape });
    const [, layer = '', stem = '', last = ''] = /^text_model\.encoder\.layers\.(\d+)\.(.+)\.(\w+)$/.exec(name) ?? [];
    const block = `transformer.resblocks.${layer}`;
    const [rows = 0, ...rest] = shape;
    if (stem === 'self_attn.q_proj') found.set(`${block}.attn.in_proj_${last}`, { name, shape: [3 * rows, ...rest] });
    const short = inside[stem];
    if (short !== undefined) found.set(`${block}.${short}.${last}`, { name, shape });
  }
  return found;
}
