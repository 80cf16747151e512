// A checkpoint of Stable Diffusion XL's keys with random weights, of its real size or a small one whose heads, groups and
// numbers of features follow the same rules.

import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { clipTokenizerFiles } from '../companion-server/src/weights/clip-tokenizer.ts';
import { goldenDir } from './fixture-networks.ts';
import { writeJson } from './fixtures/tiny-checkpoint.ts';
import type { UNetLayout } from './fixtures/checkpoint-layouts.ts';
import type { OneFileParts } from './random-one-file.ts';
import {
  fullSize,
  textConfigOf,
  textShapes,
  vaeConfigOf,
  vaeShapes,
  type CheckpointSize,
} from './random-checkpoint.ts';
import { writeRandomTensors, type RandomFloat, type Shapes } from './random-tensors.ts';
import { sdxlUNetShapes } from './random-unet.ts';

export interface SdxlSize {
  /** Of the UNet, per level; the first has no transformers. */
  readonly channels: readonly number[];
  readonly vaeChannels: readonly number[];
  /** Width and layers of the two text encoders. */
  readonly texts: readonly [readonly [number, number], readonly [number, number]];
  /** `transformer_layers_per_block` and what else of the UNet is not as in the base model. */
  readonly depths: Readonly<Record<string, unknown>>;
}

/** stable-diffusion-xl-base-1.0. */
export const fullSdxl: SdxlSize = {
  channels: [320, 640, 1280],
  vaeChannels: [128, 256, 512, 512],
  texts: [
    [768, 12],
    [1280, 32],
  ],
  depths: { transformer_layers_per_block: [1, 2, 10] },
};

const timeIdFeatures = 256;

function unetConfigOf({ channels, texts, depths }: SdxlSize): UNetLayout & Readonly<Record<string, unknown>> {
  const [[first], [second]] = texts;
  const [down, up] = ['CrossAttnDownBlock2D', 'CrossAttnUpBlock2D'];
  return {
    _class_name: 'UNet2DConditionModel',
    addition_embed_type: 'text_time',
    addition_time_embed_dim: timeIdFeatures,
    attention_head_dim: channels.map((width) => Math.max(1, width / 64)),
    block_out_channels: channels,
    cross_attention_dim: first + second,
    down_block_types: ['DownBlock2D', ...channels.slice(1).map(() => down)],
    up_block_types: [...channels.slice(1).map(() => up), 'UpBlock2D'],
    projection_class_embeddings_input_dim: second + 6 * timeIdFeatures,
    sample_size: 128,
    use_linear_projection: true,
    ...depths,
  };
}

function vaeSize({ vaeChannels }: SdxlSize): CheckpointSize {
  return { ...fullSize, vaeChannels };
}

function textSizes({ texts }: SdxlSize): readonly [CheckpointSize, CheckpointSize] {
  const [[firstWidth, firstLayers], [secondWidth, secondLayers]] = texts;
  return [
    { ...fullSize, context: firstWidth, textLayers: firstLayers },
    { ...fullSize, context: secondWidth, textLayers: secondLayers, isSecond: true },
  ];
}

function projectedShapes(size: CheckpointSize): Shapes {
  return new Map([...textShapes(size), ['text_projection.weight', [size.context, size.context]]]);
}

/** The same tensors as one file has them. */
export function oneFileOfSdxl(size: SdxlSize): OneFileParts {
  const unetConfig = unetConfigOf(size);
  const [first, second] = textSizes(size);
  return {
    unet: sdxlUNetShapes(unetConfig),
    unetConfig,
    vae: vaeShapes(vaeSize(size)),
    vaeChannels: size.vaeChannels,
    texts: [
      { prefix: 'conditioner.embedders.0.transformer.', shapes: textShapes(first), isOpenClip: false },
      { prefix: 'conditioner.embedders.1.model.', shapes: projectedShapes(second), isOpenClip: true },
    ],
  };
}

/** Writes the checkpoint in the diffusers layout into `dir` and returns `dir`. */
export async function writeRandomSdxl(dir: string, size: SdxlSize, float: RandomFloat): Promise<string> {
  const write = async (part: string, name: string, config: object, shapes: Shapes): Promise<void> => {
    await writeJson(path.join(dir, part), 'config.json', config);
    // Small predictions, as of a network that hardly sees noise.
    const gain = (key: string) => (part === 'unet' && key === 'conv_out.weight' ? 0.1 : 1);
    await writeRandomTensors(path.join(dir, part, `${name}.safetensors`), shapes, { float, gain });
  };
  const unet = unetConfigOf(size);
  await write('unet', 'diffusion_pytorch_model', unet, sdxlUNetShapes(unet));
  const vae = vaeSize(size);
  const vaeConfig = { ...vaeConfigOf(vae), scaling_factor: 0.13025, force_upcast: true };
  await write('vae', 'diffusion_pytorch_model', vaeConfig, vaeShapes(vae));
  const [first, second] = textSizes(size);
  await write('text_encoder', 'model', textConfigOf(first), textShapes(first));
  const projection = { architectures: ['CLIPTextModelWithProjection'], projection_dim: second.context };
  await write('text_encoder_2', 'model', { ...textConfigOf(second), ...projection }, projectedShapes(second));
  for (const [folder, padding] of [
    ['tokenizer', '<|endoftext|>'],
    ['tokenizer_2', '!'],
  ] as const) {
    await mkdir(path.join(dir, folder), { recursive: true });
    for (const [name, text] of Object.entries(clipTokenizerFiles(padding))) {
      await writeFile(path.join(dir, folder, name), text);
    }
  }
  await cp(path.join(goldenDir, 'sdxl', 'scheduler'), path.join(dir, 'scheduler'), { recursive: true });
  await writeJson(dir, 'model_index.json', {
    _class_name: 'StableDiffusionXLPipeline',
    text_encoder: ['transformers', 'CLIPTextModel'],
    text_encoder_2: ['transformers', 'CLIPTextModelWithProjection'],
    force_zeros_for_empty_prompt: true,
  });
  return dir;
}
