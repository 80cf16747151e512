// What the config.json files of every family of Stable Diffusion's networks must say, and how a fault in them is named.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { EditError } from '../companion-server/src/errors.ts';
import { goldenDir } from './fixture-networks.ts';

export type Json = Readonly<Record<string, unknown>>;
type Parse = (json: Json) => unknown;
/** A message without its beginning, and the change of a config that leads to it. */
export type Fault = readonly [string, Json];

/** config.json of a golden fixture's part. */
export function readConfig(...parts: readonly string[]): Json {
  return JSON.parse(readFileSync(path.join(goldenDir, ...parts, 'config.json'), 'utf8')) as Json;
}

/** The code and message of the refusal; `accepted` where there is none. */
export function faultOf(parse: Parse, json: Json): string {
  try {
    parse(json);
  } catch (error) {
    if (error instanceof EditError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

/** Each change of `config` is refused as 'model-unsupported' with its message about the file `source`. */
export function describeFaults(source: string, parse: Parse, config: Json, faults: readonly Fault[]): void {
  it.each(faults)('says "%s"', (fault, change) => {
    expect(faultOf(parse, { ...config, ...change })).toBe(`model-unsupported: ${source}: ${fault}.`);
  });
}

const unetFaults: readonly Fault[] = [
  ['out_channels must equal in_channels (9), got 4', { in_channels: 9 }],
  ['class_embed_type must be null, got "projection"', { class_embed_type: 'projection' }],
  ['num_class_embeds must be null, got 1000', { num_class_embeds: 1000 }],
  ['_class_name must be "UNet2DConditionModel", got "UNet3DConditionModel"', { _class_name: 'UNet3DConditionModel' }],
  ['only_cross_attention must be false, got true', { only_cross_attention: true }],
  ['attention_type must be "default", got "gated"', { attention_type: 'gated' }],
  [
    'time_cond_proj_dim must be null: this is a latent consistency model that is told the guidance by an input (take a checkpoint with an LCM-LoRA merged into it), got 256',
    { time_cond_proj_dim: 256 },
  ],
  ['time_embedding_type must be "positional", got "fourier"', { time_embedding_type: 'fourier' }],
  [
    'down_block_types may only name CrossAttnDownBlock2D, DownBlock2D, got "SimpleCrossAttnDownBlock2D"',
    { down_block_types: ['SimpleCrossAttnDownBlock2D'] },
  ],
  ['block_out_channels must be a list of positive whole numbers, got [16,0]', { block_out_channels: [16, 0] }],
  ['cross_attention_dim must be a positive whole number, got nothing', { cross_attention_dim: undefined }],
  ['cross_attention_dim must be a positive whole number, got [768,1024]', { cross_attention_dim: [768, 1024] }],
  ['flip_sin_to_cos must be true or false, got "yes"', { flip_sin_to_cos: 'yes' }],
  ['norm_eps must be a number, got "1e-5"', { norm_eps: '1e-5' }],
  ['norm_eps must be a number above 0, got -1', { norm_eps: -1 }],
];

const vaeFaults: readonly Fault[] = [
  ['_class_name must be "AutoencoderKL", got "AutoencoderTiny"', { _class_name: 'AutoencoderTiny' }],
  [
    'down_block_types may only name DownEncoderBlock2D, got "AttnDownEncoderBlock2D"',
    { down_block_types: ['AttnDownEncoderBlock2D'] },
  ],
  ['shift_factor must be null or 0, got 0.1', { shift_factor: 0.1 }],
  ['scaling_factor must be a number above 0, got 0', { scaling_factor: 0 }],
  [
    'norm_num_groups must divide the 16 channels of a level, got 32',
    { block_out_channels: [32, 16], norm_num_groups: 32 },
  ],
];

const textFaults: readonly Fault[] = [
  ['hidden_act must be one of gelu, quick_gelu, got "relu"', { hidden_act: 'relu' }],
  ['vocab_size must be a positive whole number, got -1', { vocab_size: -1 }],
  ['layer_norm_eps must be a number above 0, got 0', { layer_norm_eps: 0 }],
];

export interface FamilyConfigs {
  /** A folder of test/fixtures/golden with unet/ and vae/. */
  readonly folder: string;
  readonly parseUNet: Parse;
  readonly parseVae: Parse;
  /** By the part of the checkpoint: where its config is, below test/fixtures/golden, and its parser. */
  readonly texts: Readonly<Record<string, { readonly folder: string; readonly parse: Parse }>>;
}

/** What is refused in each family, and in which words. */
export function describeConfigs({ folder, parseUNet, parseVae, texts }: FamilyConfigs): void {
  describe('what all families refuse in unet/config.json', () => {
    describeFaults('unet/config.json', parseUNet, readConfig(folder, 'unet'), unetFaults);
  });
  describe('what all families refuse in vae/config.json', () => {
    describeFaults('vae/config.json', parseVae, readConfig(folder, 'vae'), vaeFaults);
  });
  describe.each(Object.entries(texts))('what all families refuse in %s/config.json', (part, text) => {
    const config = readConfig(text.folder);
    describeFaults(`${part}/config.json`, text.parse, config, textFaults);

    it('names a number of heads that does not divide the width', () => {
      const width = Number(config['hidden_size']);
      const heads = width - 1;
      expect(faultOf(text.parse, { ...config, num_attention_heads: heads })).toBe(
        `model-unsupported: ${part}/config.json: num_attention_heads must divide ${width}, got ${heads}.`,
      );
    });
  });
}
