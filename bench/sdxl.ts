// A checkpoint of Stable Diffusion XL's real keys and sizes with random weights: its place on the disk, the time to open it, and
// the memory of a small edit against what was estimated. It takes 21 GB of disk.

import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { estimateEdit } from '../companion-server/src/engine/estimate/estimate.ts';
import { parseUNetConfig } from '../companion-server/src/families/sdxl/unet-config.ts';
import { denoisingUNet } from '../companion-server/src/families/sdxl/unet.ts';
import { passHooks } from '../companion-server/src/nets/pass-hooks.ts';
import { plainPass } from '../companion-server/src/nets/pass.ts';
import { symbol } from '../companion-server/src/onnx/dims.ts';
import { goldenDir } from '../test/fixture-networks.ts';
import { writeJson, writeTinyTokenizer } from '../test/fixtures/tiny-checkpoint.ts';
import { WeightRecorder } from '../test/weight-recorder.ts';
import { benchClip, benchJob, runEdit } from './engine-run.ts';
import { benchFolder } from './folder.ts';
import { fullSize, textConfigOf, textShapes, vaeConfigOf, vaeShapes } from '../test/random-checkpoint.ts';
import { writeRandomTensors, type Shapes } from '../test/random-tensors.ts';
import { reported } from './rows.ts';
import type { Bench } from './table.ts';

/** In pixels; the UNet works on an eighth of it. */
const edge = 256;
const frames = 2;
const steps = 2;

/** unet/config.json of stable-diffusion-xl-base-1.0, where it is not as usual. */
const unetConfig = {
  _class_name: 'UNet2DConditionModel',
  addition_embed_type: 'text_time',
  addition_time_embed_dim: 256,
  attention_head_dim: [5, 10, 20],
  block_out_channels: [320, 640, 1280],
  cross_attention_dim: 2048,
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
  up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
  projection_class_embeddings_input_dim: 2816,
  sample_size: 128,
  transformer_layers_per_block: [1, 2, 10],
  use_linear_projection: true,
};

const texts = {
  text_encoder: { size: { ...fullSize, context: 768, textLayers: 12 }, more: {} },
  text_encoder_2: {
    size: { ...fullSize, context: 1280, textLayers: 32 },
    more: {
      architectures: ['CLIPTextModelWithProjection'],
      hidden_act: 'gelu',
      num_attention_heads: 20,
      projection_dim: 1280,
    },
  },
} as const;

export const sdxlBench: Bench = {
  name: 'sdxl',
  title: "A checkpoint of Stable Diffusion XL's size, random weights in half precision, CPU",
  isOnDemand: true,
  async run({ log }) {
    const modelDir = await writeCheckpoint(path.join(benchFolder(), 'sdxl'));
    // Its own, so that the first edit finds no copies and no other bench loses any.
    const cacheDir = path.join(benchFolder(), 'sdxl-cache');
    await rm(cacheDir, { recursive: true, force: true });
    const settings = {
      steps,
      inversionSteps: steps,
      technique: 'pnp',
      size: { width: edge, height: edge },
    } as const;
    const clip = await benchClip(frames, edge);
    const edit = () => runEdit(clip, settings, undefined, { modelDir, cacheDir });
    const first = await edit();
    const second = await edit();
    for (const [name, { stageSeconds }] of Object.entries({ first, second })) {
      log(`seconds of the ${name} edit's stages: ${JSON.stringify(stageSeconds)}`);
    }
    const estimate = await estimateEdit(benchJob(clip, settings, { modelDir, cacheDir }));
    const { inversion, sampling } = second.unetEvaluations;
    const { invert = NaN, edit: editing = NaN } = second.stageSeconds;
    const taken = second.peakMemoryBytes + (second.peakMappedBytes ?? 0);
    return [
      reported('checkpoint in half precision', gigabytes(await folderBytes(modelDir))),
      reported('copies in single precision', gigabytes(await folderBytes(cacheDir))),
      reported('opening for the first time, copies included', `${(first.stageSeconds['load'] ?? NaN).toFixed(1)} s`),
      reported('opening again', `${(second.stageSeconds['load'] ?? NaN).toFixed(1)} s`),
      reported(
        `an evaluation of ${edge}x${edge}, graphs and pages loaded in it`,
        `${((invert + editing) / (inversion + sampling)).toFixed(1)} s`,
      ),
      reported("peak memory of the engine's own", gigabytes(second.peakMemoryBytes)),
      reported('beside it, mapped weights', gigabytes(second.peakMappedBytes ?? 0)),
      reported('estimated peak : taken', `${(estimate.peakMemoryBytes / taken).toFixed(2)} x`),
    ];
  },
};

/** Writes the checkpoint into `dir`, unless it is there, and returns `dir`. */
async function writeCheckpoint(dir: string): Promise<string> {
  if (existsSync(path.join(dir, 'model_index.json'))) return dir;
  await mkdir(dir, { recursive: true });
  const write = async (part: string, name: string, config: object, shapes: Shapes) => {
    await writeJson(path.join(dir, part), 'config.json', config);
    // Small predictions, as of a network that hardly sees noise.
    const gain = (key: string) => (part === 'unet' && key === 'conv_out.weight' ? 0.1 : 1);
    await writeRandomTensors(path.join(dir, part, `${name}.safetensors`), shapes, { float: 'F16', gain });
  };
  await write('unet', 'diffusion_pytorch_model', unetConfig, unetShapes());
  const vae = { ...vaeConfigOf(fullSize), scaling_factor: 0.13025, force_upcast: true };
  await write('vae', 'diffusion_pytorch_model', vae, vaeShapes(fullSize));
  for (const [part, { size, more }] of Object.entries(texts)) {
    const shapes = new Map(textShapes(size));
    if ('projection_dim' in more) shapes.set('text_projection.weight', [more.projection_dim, size.context]);
    await write(part, 'model', { ...textConfigOf(size), ...more }, shapes);
  }
  for (const tokenizer of ['tokenizer', 'tokenizer_2']) await writeTinyTokenizer(path.join(dir, tokenizer), 77);
  await cp(path.join(goldenDir, 'sdxl', 'scheduler'), path.join(dir, 'scheduler'), { recursive: true });
  const named = Object.fromEntries(Object.keys(texts).map((part) => [part, ['transformers', 'CLIPTextModel']]));
  await writeJson(dir, 'model_index.json', { _class_name: 'StableDiffusionXLPipeline', ...named });
  return dir;
}

function unetShapes(): Shapes {
  const network = denoisingUNet(parseUNetConfig(unetConfig));
  const g = new WeightRecorder();
  const latents = g.input('latents', 'float32', [symbol('frames'), network.latentChannels, 8, 8]);
  network.build(g, latents, passHooks(plainPass, g, network.injectionPoints));
  return g.shapes;
}

async function folderBytes(dir: string): Promise<number> {
  const names = await readdir(dir, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => stat(path.join(dir, name))));
  return sizes.reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
