import { describe, expect, it } from 'vitest';
import { recogniseLora } from './recognise-lora.ts';

const tensorsOf = (shapes: Readonly<Record<string, readonly number[]>>) =>
  new Map(Object.entries(shapes).map(([key, dims]) => [key, { dims }]));
const none = new Map<string, string>();
const attn = 'lora_unet_down_blocks_1_attentions_0_transformer_blocks_0';

const pair = (name: string, rank: number, rows: number, columns: number) => ({
  [`${name}.lora_down.weight`]: [rank, columns],
  [`${name}.lora_up.weight`]: [rows, rank],
});

describe('a file of tensors', () => {
  it.each([
    ['LoRA', pair(`${attn}_attn1_to_q`, 8, 640, 640), 8],
    [
      'LoCon',
      { 'lora_unet_conv_in.lora_down.weight': [4, 4, 3, 3], 'lora_unet_conv_in.lora_up.weight': [320, 4, 1, 1] },
      4,
    ],
    [
      'LoHa',
      {
        ...{ 'lycoris_a.hada_w1_a': [640, 3], 'lycoris_a.hada_w1_b': [3, 640] },
        ...{ 'lycoris_a.hada_w2_a': [640, 3], 'lycoris_a.hada_w2_b': [3, 640] },
      },
      3,
    ],
    ['LoKr', { 'lycoris_a.lokr_w1': [8, 8], 'lycoris_a.lokr_w2_a': [80, 5], 'lycoris_a.lokr_w2_b': [5, 80] }, 5],
    ['DoRA', { ...pair(`${attn}_attn1_to_q`, 8, 640, 640), [`${attn}_attn1_to_q.dora_scale`]: [640, 1] }, 8],
    ['difference', { 'lora_unet_a.diff': [640, 640], 'lora_unet_a.diff_b': [640] }, null],
  ] as const)('is a %s by its keys', (kind, shapes, rank) => {
    expect(recogniseLora(tensorsOf(shapes), none)).toEqual({ kind, family: null, rank });
  });

  it('is no LoRA when nothing in it changes a weight', () => {
    expect(recogniseLora(tensorsOf({ 'unet.conv_in.weight': [320, 4, 3, 3] }), none)).toBeNull();
    expect(recogniseLora(tensorsOf({ 'lora_unet_a.lora_up.weight': [4, 2] }), none)).toBeNull();
    expect(recogniseLora(tensorsOf({}), none)).toBeNull();
  });

  it.each([
    [768, 'Stable Diffusion 1.x'],
    [1024, 'Stable Diffusion 2.x'],
    [2048, 'Stable Diffusion XL'],
    [1280, 'the refiner of Stable Diffusion XL'],
    [64, null],
  ])('that reads text of width %i is for %s', (width, family) => {
    expect(recogniseLora(tensorsOf(pair(`${attn}_attn2_to_k`, 4, 640, width)), none)?.family).toBe(family);
  });

  it.each([
    [{ ss_base_model_version: 'sdxl_base_v1-0' }, 'Stable Diffusion XL'],
    [{ ss_base_model_version: 'sd_v1' }, 'Stable Diffusion 1.x'],
    [{ 'modelspec.architecture': 'stable-diffusion-v2-768-v/lora' }, 'Stable Diffusion 2.x'],
    [{}, null],
  ])('whose shapes tell nothing is for what its metadata %j say', (metadata, family) => {
    const shapes = pair(`${attn}_attn1_to_q`, 4, 640, 640);
    expect(recogniseLora(tensorsOf(shapes), new Map(Object.entries(metadata)))?.family).toBe(family);
  });

  it('with a second text encoder is for Stable Diffusion XL', () => {
    const shapes = pair('lora_te2_text_model_encoder_layers_0_mlp_fc1', 4, 5120, 1280);
    expect(recogniseLora(tensorsOf(shapes), none)?.family).toBe('Stable Diffusion XL');
  });

  it.each([
    ['lora_unet_double_blocks_0_img_attn_qkv', 'Flux'],
    ['lora_unet_joint_blocks_0_x_block_attn_qkv', 'Stable Diffusion 3'],
    ['diffusion_model.blocks.0.self_attn.q', 'a video model'],
    ['lora_prior_unet_down_blocks_0', 'Stable Cascade'],
    ['transformer.transformer_blocks.0.attn.to_q', 'a diffusion transformer, such as Stable Diffusion 3 or Flux'],
  ])('that changes %s is for %s', (name, family) => {
    expect(recogniseLora(tensorsOf(pair(name, 4, 64, 64)), none)?.family).toBe(family);
  });
});
