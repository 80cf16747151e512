// config.json files as the parsers see them: real ones pass, others are refused by the name of the field.

import { describe, expect, it } from 'vitest';
import { describeConfigs, describeFaults, faultOf, readConfig } from '../../../../test/describe-configs.ts';
import { parseClipTextConfig } from './clip-text-config.ts';
import { injectionPoints } from './injection-points.ts';
import { parseUNetConfig } from './unet-config.ts';
import { parseVaeConfig } from './vae-config.ts';

describeConfigs({
  folder: 'sd1',
  parseUNet: parseUNetConfig,
  parseVae: parseVaeConfig,
  texts: { text_encoder: { folder: 'clip/text_encoder_gelu', parse: parseClipTextConfig } },
});

describe('unet/config.json', () => {
  const sd1 = readConfig('sd1', 'unet');

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
    const { heads } = parseUNetConfig(readConfig('sd2', 'unet'));
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

  describeFaults('unet/config.json', parseUNetConfig, sd1, [
    ['addition_embed_type must be null, got "text_time"', { addition_embed_type: 'text_time' }],
    ['mid_block_type must be "UNetMidBlock2DCrossAttn", got null', { mid_block_type: null }],
    ['transformer_layers_per_block must be 1, got [1,2,10]', { transformer_layers_per_block: [1, 2, 10] }],
    [
      'up_block_types must mirror down_block_types, one per level, got ["CrossAttnUpBlock2D","CrossAttnUpBlock2D","CrossAttnUpBlock2D","UpBlock2D"]',
      { up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'] },
    ],
    [
      'up_block_types must mirror down_block_types, one per level, got ["UpBlock2D","CrossAttnUpBlock2D","CrossAttnUpBlock2D","CrossAttnUpBlock2D"]',
      { block_out_channels: [16, 32, 48] },
    ],
    ['attention_head_dim must have 4 entries, got [4,4]', { attention_head_dim: [4, 4] }],
    [
      'attention_head_dim must divide the channels of its level (16, 32, 48, 48), got [5,5,5,5]',
      { attention_head_dim: 5 },
    ],
    ['norm_num_groups must divide the 16 channels of a level, got 32', { norm_num_groups: 32 }],
    [
      'plug_and_play.features must be a residual block of the decoder, as up_blocks.1.resnets.1, got "up_blocks.4.resnets.1"',
      { plug_and_play: { features: 'up_blocks.4.resnets.1', attention: ['up_blocks.2.attentions'] } },
    ],
    [
      'plug_and_play.attention must be a list of attentions of the decoder, as up_blocks.1.attentions, got []',
      { plug_and_play: { features: 'up_blocks.2.resnets.1', attention: [] } },
    ],
  ]);
});

describe('vae/config.json', () => {
  const vae = readConfig('sd1', 'vae');

  it('tells the factor between pixels and latents', () => {
    expect(parseVaeConfig(vae)).toMatchObject({ downscale: 4, latentChannels: 4, hasQuantConv: true });
    expect(parseVaeConfig({ ...vae, scaling_factor: undefined }).scalingFactor).toBe(0.18215);
  });
});

describe('text_encoder/config.json', () => {
  const clip = readConfig('clip', 'text_encoder_gelu');

  it('tells the activation', () => {
    expect(parseClipTextConfig(clip)).toMatchObject({ activation: 'gelu', hiddenSize: 64 });
    expect(parseClipTextConfig({ ...clip, hidden_act: undefined }).activation).toBe('quick_gelu');
  });
});
