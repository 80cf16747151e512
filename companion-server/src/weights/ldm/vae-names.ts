// The VAE of a checkpoint in one file: its keys become those of diffusers, and the 1x1 convolutions of its attention
// matrices. No byte is moved.

import type { StoredTensors } from '../../tensor/stored-tensor.ts';
import { modernVaeNames } from '../vae-attention-names.ts';
import { renamed } from './prefix.ts';

const attention: Readonly<Record<string, string>> = {
  norm: 'group_norm',
  q: 'to_q',
  k: 'to_k',
  v: 'to_v',
  proj_out: 'to_out.0',
};

/**
 * The weights of an AutoencoderKL under diffusers' keys. Takes keys without the prefix `first_stage_model.`; any number of
 * levels and of layers per level. Keys that are no part of it, such as those of the training's loss, are left out.
 */
export function ldmVaeNames(weights: StoredTensors): StoredTensors {
  const levels = levelsOf(weights.keys());
  return modernVaeNames(renamed(weights, (key) => vaeName(key, levels)));
}

/** The decoder counts its levels from the finest, diffusers from the coarsest. */
function levelsOf(keys: Iterable<string>): number {
  const levels = [...keys].map((key) => Number(/^decoder\.up\.(\d+)\./.exec(key)?.[1] ?? -1));
  return Math.max(-1, ...levels) + 1;
}

function vaeName(key: string, levels: number): string | null {
  if (/^(post_)?quant_conv\./.test(key)) return key;
  const [, half = '', rest = ''] = /^(encoder|decoder)\.(.+)$/.exec(key) ?? [];
  if (half === '') return null;
  const name = middleName(rest) ?? levelName(rest, levels) ?? endName(rest);
  return name === null ? null : `${half}.${name}`;
}

function endName(rest: string): string | null {
  if (/^(conv_in|conv_out)\./.test(rest)) return rest;
  return rest.startsWith('norm_out.') ? `conv_${rest}` : null;
}

function middleName(rest: string): string | null {
  const [, block, inner = ''] = /^mid\.block_([12])\.(.+)$/.exec(rest) ?? [];
  if (block !== undefined) return `mid_block.resnets.${Number(block) - 1}.${residualName(inner)}`;
  const [, part = '', last = ''] = /^mid\.attn_1\.(\w+)\.(weight|bias)$/.exec(rest) ?? [];
  const name = attention[part];
  return name === undefined ? null : `mid_block.attentions.0.${name}.${last}`;
}

function levelName(rest: string, levels: number): string | null {
  const [, side, level = '', inner = ''] = /^(down|up)\.(\d+)\.(.+)$/.exec(rest) ?? [];
  if (side === undefined) return null;
  const block = side === 'down' ? `down_blocks.${level}` : `up_blocks.${levels - 1 - Number(level)}`;
  const [, layer, residual = ''] = /^block\.(\d+)\.(.+)$/.exec(inner) ?? [];
  if (layer !== undefined) return `${block}.resnets.${layer}.${residualName(residual)}`;
  const [, sampler, conv = ''] = /^(down|up)sample\.(conv\..+)$/.exec(inner) ?? [];
  return sampler === undefined ? null : `${block}.${sampler}samplers.0.${conv}`;
}

function residualName(inner: string): string {
  return inner.replace(/^nin_shortcut\./, 'conv_shortcut.');
}
