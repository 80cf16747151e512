// A checkpoint of Stable Diffusion 1.5's size, or a small one, whose weights are random: what an edit costs does not
// depend on what they are.

import { cp, mkdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseUNetConfig } from '../companion-server/src/families/stable-diffusion/unet-config.ts';
import type { UNetLayout } from './fixtures/checkpoint-layouts.ts';
import { writeTinyTokenizer } from './fixtures/tiny-checkpoint.ts';
import { unetShapes, writeRandomUNet } from './random-unet.ts';
import { writeRandomTensors, type RandomFloat, type Shapes } from './random-tensors.ts';

/** What the sizes of all networks follow from. */
export interface CheckpointSize {
  /** Of the UNet, per level. */
  readonly channels: readonly number[];
  /** Width of the text encoder. */
  readonly context: number;
  readonly normGroups: number;
  readonly textLayers: number;
  /** Of the VAE, per level; two fifths of the UNet's when left out. */
  readonly vaeChannels?: readonly number[];
  /** Stable Diffusion 2.x: heads of 64 channels, linear projections, OpenCLIP. 1.x when left out. */
  readonly isSecond?: boolean;
}

/** Stable Diffusion 1.5: 860 million parameters in the UNet, 84 in the VAE, 123 in the text encoder. */
export const fullSize: CheckpointSize = {
  channels: [320, 640, 1280, 1280],
  context: 768,
  normGroups: 32,
  textLayers: 12,
};

/** For a software adapter, which needs a second for what a card does in a millisecond. */
export const smallSize: CheckpointSize = {
  channels: [8, 16, 16, 16],
  context: 24,
  normGroups: 8,
  textLayers: 2,
};

const vocabulary = 49_408;
const positions = 77;
const latentChannels = 4;
const scheduler = path.join(import.meta.dirname, 'fixtures', 'golden', 'sd1', 'scheduler');

export function unetConfigOf({
  channels,
  context,
  normGroups,
  isSecond,
}: CheckpointSize): UNetLayout & Record<string, unknown> {
  const [down, up] = ['CrossAttnDownBlock2D', 'CrossAttnUpBlock2D'];
  return {
    _class_name: 'UNet2DConditionModel',
    sample_size: 64,
    block_out_channels: channels,
    down_block_types: [...channels.slice(1).map(() => down), 'DownBlock2D'],
    up_block_types: ['UpBlock2D', ...channels.slice(1).map(() => up)],
    attention_head_dim: isSecond === true ? channels.map((width) => Math.max(1, width / 64)) : 8,
    use_linear_projection: isSecond === true,
    norm_num_groups: normGroups,
    cross_attention_dim: context,
  };
}

/** 128, 256, 512, 512 for Stable Diffusion 1.5. */
function vaeChannelsOf({ channels, vaeChannels }: CheckpointSize): readonly number[] {
  return vaeChannels ?? channels.map((width) => Math.max(8, Math.floor((width * 2) / 5)));
}

export function vaeConfigOf(size: CheckpointSize): Record<string, unknown> {
  const channels = vaeChannelsOf(size);
  return {
    _class_name: 'AutoencoderKL',
    block_out_channels: channels,
    down_block_types: channels.map(() => 'DownEncoderBlock2D'),
    up_block_types: channels.map(() => 'UpDecoderBlock2D'),
    layers_per_block: 2,
    latent_channels: latentChannels,
    norm_num_groups: channels.every((width) => width % 32 === 0) ? 32 : 4,
  };
}

export function textConfigOf({ context, textLayers, isSecond }: CheckpointSize): Record<string, unknown> {
  return {
    architectures: ['CLIPTextModel'],
    vocab_size: vocabulary,
    hidden_size: context,
    intermediate_size: 4 * context,
    num_hidden_layers: textLayers,
    num_attention_heads: context % 64 === 0 ? context / 64 : 4,
    max_position_embeddings: positions,
    hidden_act: isSecond === true ? 'gelu' : 'quick_gelu',
  };
}

/** Writes the checkpoint into `dir`, unless it is there, and returns `dir`. */
export async function writeRandomCheckpoint(dir: string, size: CheckpointSize, float: RandomFloat): Promise<string> {
  const finished = path.join(dir, 'model_index.json');
  if (existsSync(finished)) return dir;
  await mkdir(dir, { recursive: true });
  const fp16 = float === 'F16' ? '.fp16' : '';
  const write = async (part: string, name: string, config: object, shapes: Shapes) => {
    await writeJson(path.join(dir, part, 'config.json'), config);
    await writeRandomTensors(path.join(dir, part, `${name}${fp16}.safetensors`), shapes, { float });
  };
  const unet = unetConfigOf(size);
  await writeJson(path.join(dir, 'unet', 'config.json'), unet);
  await writeRandomUNet(
    parseUNetConfig(unet),
    path.join(dir, 'unet', `diffusion_pytorch_model${fp16}.safetensors`),
    float,
  );
  await write('vae', 'diffusion_pytorch_model', vaeConfigOf(size), vaeShapes(size));
  await write('text_encoder', 'model', textConfigOf(size), textShapes(size));
  await writeTinyTokenizer(path.join(dir, 'tokenizer'), positions);
  await cp(scheduler, path.join(dir, 'scheduler'), { recursive: true });
  await writeJson(finished, { _class_name: 'StableDiffusionPipeline' });
  return dir;
}

async function writeJson(file: string, json: object): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(json));
}

/** As files have them: the first version projects with convolutions. */
export function unetShapesOf(size: CheckpointSize): Shapes {
  const shapes = unetShapes(parseUNetConfig(unetConfigOf(size)));
  if (size.isSecond === true) return shapes;
  const isProjection = (key: string): boolean => /\.proj_(in|out)\.weight$/.test(key);
  return new Map([...shapes].map(([key, dims]) => [key, isProjection(key) ? [...dims, 1, 1] : dims]));
}

/** Collects the weights of layers under their checkpoint keys. */
class ShapeList {
  readonly shapes = new Map<string, readonly number[]>();

  layer(key: string, dims: readonly number[]): void {
    this.shapes.set(`${key}.weight`, dims);
    this.shapes.set(`${key}.bias`, dims.slice(0, 1));
  }

  conv(key: string, to: number, from: number, side = 3): void {
    this.layer(key, [to, from, side, side]);
  }

  residual(key: string, to: number, from: number): void {
    this.layer(`${key}.norm1`, [from]);
    this.conv(`${key}.conv1`, to, from);
    this.layer(`${key}.norm2`, [to]);
    this.conv(`${key}.conv2`, to, to);
    if (to !== from) this.conv(`${key}.conv_shortcut`, to, from, 1);
  }

  /** The middle of the VAE's halves: residual, attention, residual. */
  middle(key: string, width: number): void {
    this.residual(`${key}.resnets.0`, width, width);
    this.layer(`${key}.attentions.0.group_norm`, [width]);
    for (const name of ['to_q', 'to_k', 'to_v', 'to_out.0']) this.layer(`${key}.attentions.0.${name}`, [width, width]);
    this.residual(`${key}.resnets.1`, width, width);
  }
}

/** AutoencoderKL with two blocks per level in the encoder and three in the decoder. */
export function vaeShapes(size: CheckpointSize): Shapes {
  const list = new ShapeList();
  const channels = vaeChannelsOf(size);
  const [first = 0, last = 0] = [channels[0], channels.at(-1)];
  list.conv('encoder.conv_in', first, 3);
  let width = first;
  channels.forEach((to, level) => {
    const key = `encoder.down_blocks.${level}`;
    [0, 1].forEach((block) => list.residual(`${key}.resnets.${block}`, to, block === 0 ? width : to));
    width = to;
    if (level < channels.length - 1) list.conv(`${key}.downsamplers.0.conv`, to, to);
  });
  list.middle('encoder.mid_block', last);
  list.layer('encoder.conv_norm_out', [last]);
  list.conv('encoder.conv_out', 2 * latentChannels, last);
  list.conv('quant_conv', 2 * latentChannels, 2 * latentChannels, 1);
  list.conv('post_quant_conv', latentChannels, latentChannels, 1);
  list.conv('decoder.conv_in', last, latentChannels);
  list.middle('decoder.mid_block', last);
  channels.toReversed().forEach((to, level) => {
    const key = `decoder.up_blocks.${level}`;
    [0, 1, 2].forEach((block) => list.residual(`${key}.resnets.${block}`, to, block === 0 ? width : to));
    width = to;
    if (level < channels.length - 1) list.conv(`${key}.upsamplers.0.conv`, to, to);
  });
  list.layer('decoder.conv_norm_out', [first]);
  list.conv('decoder.conv_out', 3, first);
  return list.shapes;
}

export function textShapes({ context: width, textLayers }: CheckpointSize): Shapes {
  const list = new ShapeList();
  list.shapes.set('text_model.embeddings.token_embedding.weight', [vocabulary, width]);
  list.shapes.set('text_model.embeddings.position_embedding.weight', [positions, width]);
  for (let layer = 0; layer < textLayers; layer++) {
    const key = `text_model.encoder.layers.${layer}`;
    for (const name of ['q_proj', 'k_proj', 'v_proj', 'out_proj'])
      list.layer(`${key}.self_attn.${name}`, [width, width]);
    list.layer(`${key}.mlp.fc1`, [4 * width, width]);
    list.layer(`${key}.mlp.fc2`, [width, 4 * width]);
    list.layer(`${key}.layer_norm1`, [width]);
    list.layer(`${key}.layer_norm2`, [width]);
  }
  list.layer('text_model.final_layer_norm', [width]);
  return list.shapes;
}
