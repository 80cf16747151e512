// Files of weights by a few of the keys and shapes that real ones have.

import { describe, expect, it } from 'vitest';
import { families } from './list.ts';
import { recognise } from './recognise.ts';

const unet = 'model.diffusion_model.';
type Shapes = Readonly<Record<string, readonly number[]>>;

const nameOf = (shapes: Shapes): string => {
  const tensors = new Map(Object.entries(shapes).map(([key, dims]) => [key, { dims }]));
  const { title, refusal } = recognise(tensors, new Map(), families);
  return refusal === null ? title : `refused: ${refusal.what}`;
};
const hintOf = (shapes: Shapes): string => {
  const tensors = new Map(Object.entries(shapes).map(([key, dims]) => [key, { dims }]));
  return recognise(tensors, new Map(), families).refusal?.instead ?? '';
};

/** Of a checkpoint whose UNet reads text of this width. */
const checkpoint = (width: number, inputChannels = 4, linear = width !== 768): Shapes => ({
  [`${unet}input_blocks.0.0.weight`]: [320, inputChannels, 3, 3],
  [`${unet}input_blocks.2.1.proj_in.weight`]: linear ? [320, 320] : [320, 320, 1, 1],
  [`${unet}input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight`]: [320, width],
  'first_stage_model.decoder.conv_in.weight': [512, 4, 3, 3],
});

it('tells Stable Diffusion 1.x from 2.x by the width of the text, else by the projections', () => {
  expect(nameOf(checkpoint(768))).toBe('Stable Diffusion 1.x');
  expect(nameOf(checkpoint(1024))).toBe('Stable Diffusion 2.x');
  expect(nameOf(checkpoint(64, 4, false))).toBe('Stable Diffusion 1.x');
  expect(nameOf(checkpoint(64, 4, true))).toBe('Stable Diffusion 2.x');
});

it('knows Stable Diffusion XL by what is added to the time, whole or a UNet alone, and its refiner by how much of it is added', () => {
  const xl = (width: number, added = 2816): Shapes => ({
    [`${unet}input_blocks.0.0.weight`]: [320, 4, 3, 3],
    [`${unet}input_blocks.4.1.proj_in.weight`]: [640, 640],
    [`${unet}input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight`]: [640, width],
    [`${unet}label_emb.0.0.weight`]: [1280, added],
  });
  const text = { 'conditioner.embedders.1.model.transformer.resblocks.9.mlp.c_proj.bias': [1280] };
  expect(nameOf({ ...xl(2048), ...text })).toBe('Stable Diffusion XL');
  expect(nameOf(xl(2048))).toBe('Stable Diffusion XL');
  expect(nameOf(xl(1280, 2560))).toBe("refused: Stable Diffusion XL's refiner");
  expect(nameOf({ ...xl(2048), [`${unet}input_blocks.0.0.weight`]: [320, 9, 3, 3] })).toContain('an inpainting model');
  expect(nameOf({ ...xl(2048), [`${unet}input_blocks.0.0.weight`]: [320, 8, 3, 3] })).toContain('InstructPix2Pix');
  expect(nameOf({ ...xl(2048), ...text, edm_mean: [4] })).toContain('Playground 2.5');
});

it('knows a UNet alone in the naming of a checkpoint, whose other parts come from elsewhere', () => {
  const whole = Object.entries(checkpoint(768));
  const alone = whole.filter(([key]) => !key.startsWith('first_stage_model.'));
  expect(alone).toHaveLength(whole.length - 1);
  expect(nameOf(Object.fromEntries(alone))).toBe('Stable Diffusion 1.x');
});

describe('refuses by name what looks like a checkpoint and is more', () => {
  const sdxl = { 'conditioner.embedders.1.model.transformer.resblocks.9.mlp.c_proj.bias': [1280] };
  it.each<[string, Shapes]>([
    ['an inpainting model: its UNet takes 9 input channels', checkpoint(768, 9)],
    ['InstructPix2Pix, or an image-to-video model: its UNet takes 8 input channels', checkpoint(768, 8)],
    ['a depth-guided model: its UNet takes 5 input channels', checkpoint(1024, 5)],
    ['an upscaler: its UNet takes 7 input channels', checkpoint(1024, 7)],
    ['a ControlNet', { ...checkpoint(768), 'control_model.time_embed.0.weight': [1280, 320] }],
    ['Playground 2.5, which has a noise schedule of its own', { ...sdxl, edm_mean: [4] }],
    ['CosXL, which has a noise schedule of its own', { ...sdxl, 'edm_vpred.sigma_max': [] }],
    [
      "Stable Diffusion XL's refiner",
      { 'conditioner.embedders.0.model.transformer.resblocks.9.mlp.c_proj.bias': [1280], [`${unet}a`]: [1] },
    ],
    ['a video model', { ...checkpoint(1024), [`${unet}input_blocks.1.1.time_stack.0.norm1.weight`]: [320] }],
    [
      'GLIGEN, which takes boxes as well',
      { ...checkpoint(768), [`${unet}input_blocks.1.1.transformer_blocks.0.fuser.linear.weight`]: [320, 768] },
    ],
  ])('%s', (name, shapes) => {
    expect(nameOf(shapes)).toBe(`refused: ${name}`);
  });
});

describe('refuses by name what is no checkpoint', () => {
  it.each<[string, string]>([
    ['Stable Diffusion 3', `${unet}joint_blocks.0.context_block.attn.qkv.weight`],
    ['Flux', `${unet}double_blocks.0.img_attn.norm.key_norm.scale`],
    ['Flux', 'single_blocks.3.linear1.weight'],
    ['Wan, a video model', 'blocks.0.cross_attn.k.weight'],
    ['Stable Cascade', 'clip_txt_mapper.weight'],
    ['a motion module of AnimateDiff', 'down_blocks.0.motion_modules.0.temporal_transformer.norm.weight'],
    ['a ControlNet', 'controlnet_cond_embedding.conv_in.weight'],
    ['an IP-Adapter', 'image_proj.proj.weight'],
    ['a LoRA', 'lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight'],
    ['a LoRA', 'unet.up_blocks.1.attentions.0.proj_in.lora_A.weight'],
    ['a LoRA', 'lora_unet_mid_block.hada_w1_a'],
    ['a textual inversion embedding', 'emb_params'],
    ['a VAE alone', 'decoder.mid.block_1.conv1.weight'],
    ['the UNet of a checkpoint alone', 'down_blocks.0.resnets.0.conv1.weight'],
    ['a text encoder alone', 'text_model.encoder.layers.0.mlp.fc1.weight'],
    ['an upscaler of pictures', 'body.0.rdb1.conv1.weight'],
    ['a language model', 'model.layers.0.self_attn.q_proj.weight'],
    ['no model that is known here: of its tensors one is named "something"', 'something'],
  ])('%s', (name, key) => {
    expect(nameOf({ [key]: [1] })).toBe(`refused: ${name}`);
  });

  it('and a file without tensors', () => {
    expect(nameOf({})).toBe('refused: no model that is known here: it has no tensors');
  });
});

it('says what to do instead', () => {
  expect(hintOf({ 'a.lora_up.weight': [1] })).toContain('--lora');
  expect(hintOf({ ...checkpoint(768, 9) })).toContain('plain text-to-image checkpoint');
});
