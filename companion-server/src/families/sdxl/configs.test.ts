// config.json files as the parsers see them: those of the published checkpoints pass, others are refused by the field's name.

import { describe, expect, it } from 'vitest';
import { describeConfigs, describeFaults, faultOf, readConfig, type Json } from '../../../../test/describe-configs.ts';
import { tokensPerBlock } from '../../nets/token-counts.ts';
import { parseProjection, parseTextConfig, parseVaeConfig } from './configs.ts';
import { parseUNetConfig } from './unet-config.ts';

describeConfigs({
  folder: 'sdxl',
  parseUNet: parseUNetConfig,
  parseVae: parseVaeConfig,
  texts: Object.fromEntries(
    ['text_encoder', 'text_encoder_2'].map((part) => [
      part,
      { folder: `sdxl/${part}`, parse: (json: Json) => parseTextConfig(json, part) },
    ]),
  ),
});

/** What stable-diffusion-xl-base-1.0 has in unet/config.json where it matters. */
const published: Json = {
  ...readConfig('sdxl', 'unet'),
  attention_head_dim: [5, 10, 20],
  block_out_channels: [320, 640, 1280],
  norm_num_groups: 32,
  cross_attention_dim: 2048,
  addition_time_embed_dim: 256,
  projection_class_embeddings_input_dim: 2816,
  sample_size: 128,
  transformer_layers_per_block: [1, 2, 10],
  upcast_attention: null,
  num_attention_heads: null,
};

const smaller = { mid_block_type: 'UNetMidBlock2D' };
const ssd1b: Json = {
  ...published,
  ...smaller,
  transformer_layers_per_block: [1, [2, 2], [4, 4]],
  reverse_transformer_layers_per_block: [[4, 4, 10], [2, 1, 1], 1],
};
const vega: Json = {
  ...published,
  ...smaller,
  transformer_layers_per_block: [1, [1, 1], [2, 2]],
  reverse_transformer_layers_per_block: [[2, 2, 2], [1, 1, 1], 1],
};

describe('unet/config.json', () => {
  it.each<[string, Json, ReturnType<typeof parseUNetConfig>['transformerDepths']]>([
    [
      'Stable Diffusion XL',
      published,
      {
        down: [
          [0, 0],
          [2, 2],
          [10, 10],
        ],
        middle: { residualBlocks: 2, depth: 10 },
        up: [
          [10, 10, 10],
          [2, 2, 2],
          [0, 0, 0],
        ],
      },
    ],
    [
      'SSD-1B',
      ssd1b,
      {
        down: [
          [0, 0],
          [2, 2],
          [4, 4],
        ],
        middle: { residualBlocks: 1, depth: 0 },
        up: [
          [4, 4, 10],
          [2, 1, 1],
          [0, 0, 0],
        ],
      },
    ],
    [
      'Segmind-Vega',
      vega,
      {
        down: [
          [0, 0],
          [1, 1],
          [2, 2],
        ],
        middle: { residualBlocks: 1, depth: 0 },
        up: [
          [2, 2, 2],
          [1, 1, 1],
          [0, 0, 0],
        ],
      },
    ],
  ])('of %s gives every layer its depth', (_name, json, transformerDepths) => {
    expect(parseUNetConfig(json)).toMatchObject({ transformerDepths, heads: [5, 10, 20], addedFeatures: 2816 });
  });

  it('of Stable Diffusion XL at 1024 x 1024 makes 70 blocks with 102,400 tokens', () => {
    const counts = tokensPerBlock(parseUNetConfig(published), { height: 128, width: 128 });
    expect(counts).toHaveLength(70);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(102_400);
  });

  it('without a middle has none', () => {
    const { middle } = parseUNetConfig({ ...published, mid_block_type: null }).transformerDepths;
    expect(middle).toEqual({ residualBlocks: 0, depth: 0 });
  });

  describeFaults('unet/config.json', parseUNetConfig, published, [
    ['addition_embed_type must be "text_time", got "image"', { addition_embed_type: 'image' }],
    ['transformer_layers_per_block must have 3 entries, got [1,2]', { transformer_layers_per_block: [1, 2] }],
    [
      'transformer_layers_per_block must give 2 layers positive whole numbers, got [2,0]',
      { ...ssd1b, transformer_layers_per_block: [1, [2, 0], [4, 4]] },
    ],
    [
      'transformer_layers_per_block must be one number per level without reverse_transformer_layers_per_block, got [1,[2,2],[4,4]]',
      { ...ssd1b, reverse_transformer_layers_per_block: null },
    ],
    [
      'reverse_transformer_layers_per_block must give 3 layers positive whole numbers, got [4,4]',
      { ...ssd1b, reverse_transformer_layers_per_block: [[4, 4], [2, 1, 1], 1] },
    ],
    [
      'mid_block_type must be one of UNetMidBlock2DCrossAttn, UNetMidBlock2D, none, got "UNetMidBlock2DSimpleCrossAttn"',
      { mid_block_type: 'UNetMidBlock2DSimpleCrossAttn' },
    ],
    [
      'projection_class_embeddings_input_dim must be a positive whole number, got nothing',
      {
        projection_class_embeddings_input_dim: null,
      },
    ],
  ]);
});

describe('vae/config.json', () => {
  const vae = readConfig('sdxl', 'vae');

  it('asks for single precision unless it says that half is enough', () => {
    expect(parseVaeConfig(vae)).toMatchObject({ needsSinglePrecision: true, scalingFactor: 0.13025 });
    expect(parseVaeConfig({ ...vae, force_upcast: false }).needsSinglePrecision).toBe(false);
    expect(parseVaeConfig({ ...vae, force_upcast: undefined }).needsSinglePrecision).toBe(true);
  });

  it('that scales each channel by itself is refused', () => {
    expect(faultOf(parseVaeConfig, { ...vae, latents_mean: [-1.6, 0.3] })).toBe(
      'model-unsupported: vae/config.json: latents_mean must be null, got [-1.6,0.3].',
    );
  });
});

it('a text encoder without the width of its projection is refused by its own name', () => {
  expect(faultOf((json) => parseProjection(json, 'text_encoder_2'), {})).toBe(
    'model-unsupported: text_encoder_2/config.json: projection_dim must be a positive whole number, got nothing.',
  );
});
