// The UNet of a checkpoint in one file: its keys, as the original code of latent diffusion wrote them, become those of
// diffusers. The names inside of transformers are equal. No byte is moved.

import { renamed } from './prefix.ts';

/** By the key without its last part. Stable Diffusion XL has the label embedding. */
export const outsideOfBlocks: Readonly<Record<string, string>> = {
  'time_embed.0': 'time_embedding.linear_1',
  'time_embed.2': 'time_embedding.linear_2',
  'label_emb.0.0': 'add_embedding.linear_1',
  'label_emb.0.2': 'add_embedding.linear_2',
  'input_blocks.0.0': 'conv_in',
  'out.0': 'conv_norm_out',
  'out.2': 'conv_out',
};

/** Modules of a residual block. */
export const residual: Readonly<Record<string, string>> = {
  'in_layers.0': 'norm1',
  'in_layers.2': 'conv1',
  'emb_layers.1': 'time_emb_proj',
  'out_layers.0': 'norm2',
  'out_layers.3': 'conv2',
  skip_connection: 'conv_shortcut',
};

const middle: Readonly<Record<string, string>> = { 0: 'resnets.0', 1: 'attentions.0', 2: 'resnets.1' };

/**
 * The weights of a UNet under diffusers' keys. Takes keys without the prefix `model.diffusion_model.`; any number of
 * levels, of layers per level and of blocks per transformer. Keys that are no part of a UNet are left out.
 */
export function ldmUNetNames<T>(entries: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  const layers = layersPerLevel(entries.keys());
  return renamed(entries, (key) => unetName(key, layers));
}

/** Of the way down: the first downsampler follows them. A network of one level has none. */
export function layersPerLevel(keys: Iterable<string>): number {
  const blocks = new Set<number>();
  let firstDownsampler = Infinity;
  for (const key of keys) {
    const [, block, part] = /^input_blocks\.(\d+)\.0\.(\w+)/.exec(key) ?? [];
    if (block === undefined) continue;
    blocks.add(Number(block));
    if (part === 'op') firstDownsampler = Math.min(firstDownsampler, Number(block));
  }
  return Math.min(firstDownsampler, Math.max(0, ...blocks) + 1) - 1;
}

function unetName(key: string, layers: number): string | null {
  const [, stem = '', last = ''] = /^(.*)\.(weight|bias)$/.exec(key) ?? [];
  const outside = outsideOfBlocks[stem];
  if (outside !== undefined) return `${outside}.${last}`;
  const [, side = '', block = '', part = '', rest = ''] =
    /^(input_blocks|output_blocks)\.(\d+)\.(\d)\.(.+)$/.exec(key) ?? [];
  if (side === 'input_blocks') return inputName(Number(block) - 1, part, rest, layers);
  if (side === 'output_blocks') return outputName(Number(block), part, rest, layers);
  const [, position = '', inner = ''] = /^middle_block\.(\d)\.(.+)$/.exec(key) ?? [];
  return position === '' ? null : insideOf('mid_block', middle[position], inner);
}

/** @param index of the block behind conv_in; a level has its layers and then a downsampler */
function inputName(index: number, part: string, rest: string, layers: number): string | null {
  const [level, layer] = [Math.floor(index / (layers + 1)), index % (layers + 1)];
  const block = `down_blocks.${level}`;
  if (rest.startsWith('op.')) return `${block}.downsamplers.0.conv.${rest.slice('op.'.length)}`;
  return insideOf(block, part === '0' ? `resnets.${layer}` : `attentions.${layer}`, rest);
}

/** A level has one layer more than on the way down; the upsampler is in the last layer's block. */
function outputName(index: number, part: string, rest: string, layers: number): string | null {
  const [level, layer] = [Math.floor(index / (layers + 1)), index % (layers + 1)];
  const block = `up_blocks.${level}`;
  if (/^conv\.(weight|bias)$/.test(rest)) return `${block}.upsamplers.0.${rest}`;
  return insideOf(block, part === '0' ? `resnets.${layer}` : `attentions.${layer}`, rest);
}

function insideOf(block: string, layer: string | undefined, rest: string): string | null {
  if (layer === undefined) return null;
  if (layer.startsWith('attentions')) return `${block}.${layer}.${rest}`;
  const [, stem = '', last = ''] = /^(.*)\.(weight|bias)$/.exec(rest) ?? [];
  const name = residual[stem];
  return name === undefined ? null : `${block}.${layer}.${name}.${last}`;
}
