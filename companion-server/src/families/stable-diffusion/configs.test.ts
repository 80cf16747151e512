// config.json files as the parsers see them: real ones pass, others are refused by the name of the field.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenDir } from '../../../../test/fixture-networks.ts';
import { EditError } from '../../errors.ts';
import { parseClipTextConfig } from './clip-text-config.ts';
import { injectionPoints } from './injection-points.ts';
import { parseUNetConfig } from './unet-config.ts';
import { parseVaeConfig } from './vae-config.ts';

type Json = Readonly<Record<string, unknown>>;
const read = (...parts: readonly string[]): Json =>
  JSON.parse(readFileSync(path.join(goldenDir, ...parts, 'config.json'), 'utf8')) as Json;

function faultOf(parse: (json: Json) => unknown, json: Json): string {
  try {
    parse(json);
  } catch (error) {
    if (error instanceof EditError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('unet/config.json', () => {
  const sd1 = read('sd1', 'unet');

  it('of Stable Diffusion 1.x has one number of heads, of 2.x one per level', () => {
    expect(parseUNetConfig(sd1)).toMatchObject({
      heads: [4, 4, 4, 4],
      transformerDepths: {
        down: [
          [1, 1],
          [1, 1],
          [1, 1],
          [0, 0],
        ],
        middle: { residualBlocks: 2, depth: 1 },
        up: [
          [0, 0, 0],
          [1, 1, 1],
          [1, 1, 1],
          [1, 1, 1],
        ],
      },
      latentChannels: 4,
      layersPerBlock: 2,
      flipSinToCos: true,
      frequencyShift: 0,
    });
    const { heads } = parseUNetConfig(read('sd2', 'unet'));
    expect(new Set(heads).size).toBeGreaterThan(1);
  });

  it('takes the heads from num_attention_heads where that is set', () => {
    expect(parseUNetConfig({ ...sd1, num_attention_heads: 2 }).heads).toEqual([2, 2, 2, 2]);
  });

  it('takes a list of equal values for the value', () => {
    const fields = {
      only_cross_attention: [false, false, false, false],
      transformer_layers_per_block: [1, 1, 1, 1],
      cross_attention_dim: [32, 32, 32, 32],
      layers_per_block: [2, 2, 2, 2],
      sample_size: [64, 64],
    };
    const scalars = { ...sd1, only_cross_attention: false, transformer_layers_per_block: 1, sample_size: 64 };
    expect(parseUNetConfig({ ...sd1, ...fields })).toEqual(parseUNetConfig({ ...scalars, cross_attention_dim: 32 }));
  });

  it('takes the last of two words for the class: the first says where its code is', () => {
    const named = { ...sd1, _class_name: ['module.of.mine', 'UNet2DConditionModel'] };
    expect(parseUNetConfig(named)).toEqual(parseUNetConfig(sd1));
    expect(faultOf(parseUNetConfig, { ...sd1, _class_name: ['module.of.mine', 'MyNet'] })).toContain('got "MyNet"');
  });

  it.each([
    ['0.8.1', 32, 64],
    ['0.2.2', 96, 96],
    ['0.9.0', 32, 32],
    ['0.21.0.dev0', 32, 32],
    [undefined, 32, 32],
  ])('of diffusers %s with sample_size %i was trained on %i', (version, size, trained) => {
    expect(parseUNetConfig({ ...sd1, _diffusers_version: version, sample_size: size }).sampleSize).toBe(trained);
  });

  it("takes the points of injection that it names, and the family's where it names none", () => {
    const { features, attention } = parseUNetConfig({
      ...sd1,
      plug_and_play: {
        features: 'up_blocks.2.resnets.1',
        attention: ['up_blocks.2.attentions.1', 'up_blocks.3.attentions'],
      },
    }).injectionPoints;
    expect(features).toBe('up_blocks.2.resnets.1');
    const keys = ['2.attentions.0', '2.attentions.1', '3.attentions.0', '3.attentions.2'];
    const isInjected = (key: string) => attention.test(`up_blocks.${key}.transformer_blocks.0.attn1`);
    expect(keys.map(isInjected)).toEqual([false, true, true, true]);
    expect(parseUNetConfig(sd1).injectionPoints).toBe(injectionPoints);
  });

  it.each<[string, Json]>([
    ['addition_embed_type must be null, got "text_time"', { addition_embed_type: 'text_time' }],
    ['out_channels must equal in_channels (9), got 4', { in_channels: 9 }],
    ['class_embed_type must be null, got "projection"', { class_embed_type: 'projection' }],
    ['num_class_embeds must be null, got 1000', { num_class_embeds: 1000 }],
    ['mid_block_type must be "UNetMidBlock2DCrossAttn", got null', { mid_block_type: null }],
    ['transformer_layers_per_block must be 1, got [1,2,10]', { transformer_layers_per_block: [1, 2, 10] }],
    ['_class_name must be "UNet2DConditionModel", got "UNet3DConditionModel"', { _class_name: 'UNet3DConditionModel' }],
    ['only_cross_attention must be false, got true', { only_cross_attention: true }],
    [
      'time_cond_proj_dim must be null: this is a latent consistency model that is told the guidance by an input (take a checkpoint with an LCM-LoRA merged into it), got 256',
      { time_cond_proj_dim: 256 },
    ],
    ['time_embedding_type must be "positional", got "fourier"', { time_embedding_type: 'fourier' }],
    [
      'down_block_types may only name CrossAttnDownBlock2D, DownBlock2D, got "SimpleCrossAttnDownBlock2D"',
      { down_block_types: ['SimpleCrossAttnDownBlock2D'] },
    ],
    [
      'up_block_types must mirror down_block_types, one per level, got ["CrossAttnUpBlock2D","CrossAttnUpBlock2D","CrossAttnUpBlock2D","UpBlock2D"]',
      { up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'] },
    ],
    [
      'up_block_types must mirror down_block_types, one per level, got ["UpBlock2D","CrossAttnUpBlock2D","CrossAttnUpBlock2D","CrossAttnUpBlock2D"]',
      { block_out_channels: [16, 32, 48] },
    ],
    ['block_out_channels must be a list of positive whole numbers, got [16,0]', { block_out_channels: [16, 0] }],
    ['attention_head_dim must have 4 entries, got [4,4]', { attention_head_dim: [4, 4] }],
    [
      'attention_head_dim must divide the channels of its level (16, 32, 48, 48), got [5,5,5,5]',
      { attention_head_dim: 5 },
    ],
    ['norm_num_groups must divide the 16 channels of a level, got 32', { norm_num_groups: 32 }],
    ['cross_attention_dim must be a positive whole number, got nothing', { cross_attention_dim: undefined }],
    ['cross_attention_dim must be a positive whole number, got [768,1024]', { cross_attention_dim: [768, 1024] }],
    ['flip_sin_to_cos must be true or false, got "yes"', { flip_sin_to_cos: 'yes' }],
    ['norm_eps must be a number, got "1e-5"', { norm_eps: '1e-5' }],
    ['norm_eps must be a number above 0, got -1', { norm_eps: -1 }],
    [
      'plug_and_play.features must be a residual block of the decoder, as up_blocks.1.resnets.1, got "up_blocks.4.resnets.1"',
      { plug_and_play: { features: 'up_blocks.4.resnets.1', attention: ['up_blocks.2.attentions'] } },
    ],
    [
      'plug_and_play.attention must be a list of attentions of the decoder, as up_blocks.1.attentions, got []',
      { plug_and_play: { features: 'up_blocks.2.resnets.1', attention: [] } },
    ],
  ])('says "%s"', (fault, change) => {
    expect(faultOf(parseUNetConfig, { ...sd1, ...change })).toBe(`model-unsupported: unet/config.json: ${fault}.`);
  });
});

describe('vae/config.json', () => {
  const vae = read('sd1', 'vae');

  it('tells the factor between pixels and latents', () => {
    expect(parseVaeConfig(vae)).toMatchObject({ downscale: 4, latentChannels: 4, hasQuantConv: true });
    expect(parseVaeConfig({ ...vae, scaling_factor: undefined }).scalingFactor).toBe(0.18215);
  });

  it.each<[string, Json]>([
    ['_class_name must be "AutoencoderKL", got "AutoencoderTiny"', { _class_name: 'AutoencoderTiny' }],
    [
      'down_block_types may only name DownEncoderBlock2D, got "AttnDownEncoderBlock2D"',
      { down_block_types: ['AttnDownEncoderBlock2D'] },
    ],
    ['shift_factor must be null or 0, got 0.1', { shift_factor: 0.1 }],
    ['scaling_factor must be a number above 0, got 0', { scaling_factor: 0 }],
    ['norm_num_groups must divide the 16 channels of a level, got 32', { norm_num_groups: 32 }],
  ])('says "%s"', (fault, change) => {
    expect(faultOf(parseVaeConfig, { ...vae, ...change })).toBe(`model-unsupported: vae/config.json: ${fault}.`);
  });
});

describe('text_encoder/config.json', () => {
  const clip = read('clip', 'text_encoder_gelu');

  it('tells the activation', () => {
    expect(parseClipTextConfig(clip)).toMatchObject({ activation: 'gelu', hiddenSize: 64 });
    expect(parseClipTextConfig({ ...clip, hidden_act: undefined }).activation).toBe('quick_gelu');
  });

  it.each<[string, Json]>([
    ['hidden_act must be one of gelu, quick_gelu, got "relu"', { hidden_act: 'relu' }],
    ['num_attention_heads must divide 64, got 5', { num_attention_heads: 5 }],
    ['vocab_size must be a positive whole number, got -1', { vocab_size: -1 }],
    ['layer_norm_eps must be a number above 0, got 0', { layer_norm_eps: 0 }],
  ])('says "%s"', (fault, change) => {
    expect(faultOf(parseClipTextConfig, { ...clip, ...change })).toBe(
      `model-unsupported: text_encoder/config.json: ${fault}.`,
    );
  });
});
