// What people do to the folders of checkpoints: it makes no difference, or is named.

import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writePublished, type Published, type PublishedFamily } from '../../../test/fixtures/published-checkpoints.ts';
import { unetShapesOf, fullSize } from '../../../test/random-checkpoint.ts';
import { writeHollowTensors } from '../../../test/random-tensors.ts';
import { writeFiles } from '../weights/testing/made-checkpoint.ts';
import { fileBytes } from '../weights/testing/made-files.ts';
import { openSafetensors } from '../weights/safetensors.ts';
import { ddim, epsilon, euler, pndm, same, sd, velocity, xl } from './testing/published.ts';
import { readingOf } from './testing/reading-of.ts';

type Json = Readonly<Record<string, unknown>>;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'published-'));
});
afterEach(() => rm(dir, { recursive: true }));

const usual: Readonly<Record<PublishedFamily, readonly [Published, string]>> = {
  sd1: [{ family: 'sd1', ages: same(25), scheduler: { ...pndm, ...epsilon } }, `${sd}, 512 px, epsilon, leading`],
  sd2: [{ family: 'sd2', ages: same(10), scheduler: { ...ddim, ...velocity } }, `${sd}, 512 px, v_prediction, leading`],
  sdxl: [
    {
      family: 'sdxl',
      ages: same(24),
      vae: { scaling_factor: 0.13025 },
      scheduler: { ...euler, _class_name: 'EulerDiscreteScheduler' },
    },
    `${xl}, 1024 px, epsilon, leading`,
  ],
};

async function change(file: string, changes: Json): Promise<void> {
  const at = path.join(dir, file);
  await writeFile(at, JSON.stringify({ ...(JSON.parse(await readFile(at, 'utf8')) as Json), ...changes }));
}

const unetFile = 'unet/diffusion_pytorch_model';
const move = (from: string, to: string) => () => rename(path.join(dir, from), path.join(dir, to));
const four = <T>(value: T): readonly T[] => [value, value, value, value];

// On Windows a hole in a file takes room.
describe.skipIf(process.platform === 'win32').each(['sd1', 'sd2', 'sdxl'] as const)('a folder of %s', (family) => {
  const [folder, reading] = usual[family];

  const harmless: readonly (readonly [string, () => Promise<void>])[] = [
    [
      'whose pipeline is a class of code of its own',
      () =>
        change('model_index.json', {
          _class_name: [
            'pipeline',
            folder.pipeline ?? (family === 'sdxl' ? 'StableDiffusionXLPipeline' : 'StableDiffusionPipeline'),
          ],
        }),
    ],
    [
      'whose sample size has two sides',
      () => change('unet/config.json', { sample_size: Array(2).fill(family === 'sdxl' ? 128 : 64) }),
    ],
    [
      'with a value for each level',
      () => change('unet/config.json', { only_cross_attention: four(false), layers_per_block: four(2) }),
    ],
    [
      'with fields that nobody knows',
      () => change('unet/config.json', { _use_default_values: ['dropout'], made_by: 'a converter' }),
    ],
    [
      'whose scheduler has infinite numbers',
      async () => {
        const file = path.join(dir, 'scheduler', 'scheduler_config.json');
        const text = await readFile(file, 'utf8');
        await writeFile(file, text.replace('{', '{"lambda_min_clipped": -Infinity, '));
      },
    ],
    [
      'whose parts are in other forms only',
      async () => {
        await move(`${unetFile}.safetensors`, `${unetFile}.non_ema.safetensors`)();
        await move('vae/diffusion_pytorch_model.safetensors', 'vae/diffusion_pytorch_model.bf16.safetensors')();
        await move('text_encoder/model.safetensors', 'text_encoder/model.fp16.safetensors')();
      },
    ],
    [
      'in shards, one of them with a buffer of whole numbers',
      async () => {
        await move(`${unetFile}.safetensors`, `${unetFile}-00001-of-00002.safetensors`)();
        const steps = fileBytes('I64', { 'scheduler.steps': [1] }, () => [0, 0, 0, 0, 0, 0, 0, 0]);
        await writeFiles(dir, { [`${unetFile}-00002-of-00002.safetensors`]: steps });
        const { entries } = await openSafetensors(path.join(dir, `${unetFile}-00001-of-00002.safetensors`));
        const map = Object.fromEntries(
          [...entries.keys()].map((key) => [key, 'diffusion_pytorch_model-00001-of-00002.safetensors']),
        );
        const weight_map = { ...map, 'scheduler.steps': 'diffusion_pytorch_model-00002-of-00002.safetensors' };
        await writeFiles(dir, { [`${unetFile}.safetensors.index.json`]: JSON.stringify({ metadata: {}, weight_map }) });
      },
    ],
  ];
  it.each(harmless)('%s is read as without it', async (_, disturb) => {
    await writePublished(dir, folder);
    await disturb();
    expect(await readingOf(dir)).toBe(reading);
  });

  const harmful: readonly (readonly [string, () => Promise<void>, string])[] = [
    [
      'with pickles only',
      move(`${unetFile}.safetensors`, `${unetFile}.bin`),
      'model-unsupported: DIR/unet: has only diffusion_pytorch_model.bin, a pickle',
    ],
    [
      'that takes the guidance as an input',
      () => change('unet/config.json', { time_cond_proj_dim: 256 }),
      'time_cond_proj_dim must be null',
    ],
    [
      'with gated attention',
      () => change('unet/config.json', { attention_type: 'gated' }),
      'attention_type must be "default"',
    ],
    [
      'whose blocks differ in their attention',
      () => change('unet/config.json', { only_cross_attention: [true, false, false, false] }),
      'only_cross_attention must be false',
    ],
    [
      'with a layer more than its weights',
      () => change('unet/config.json', { layers_per_block: 3 }),
      'has no weight named',
    ],
    [
      'with a VAE of 16 channels',
      () => change('vae/config.json', { latent_channels: 16 }),
      'the UNet works on 4 latent channels, the VAE on 16',
    ],
    [
      'with the VAE of another kind',
      () => change('vae/config.json', { _class_name: 'AutoencoderTiny' }),
      'vae must be AutoencoderKL',
    ],
    [
      'whose text encoder has fewer layers of weights',
      () => change('text_encoder/config.json', { num_hidden_layers: 40 }),
      'has no weight named text_model.encoder.layers.',
    ],
    [
      'whose merges are broken',
      () => writeFile(path.join(dir, 'tokenizer', 'merges.txt'), '#version: 0.2\nab\n'),
      'merges.txt line 2 must be',
    ],
    [
      'with the UNet of another size',
      () =>
        writeHollowTensors(
          path.join(dir, `${unetFile}.safetensors`),
          unetShapesOf({ ...fullSize, context: 640 }),
          'F16',
        ),
      family === 'sd1' ? 'must have the shape' : 'model-damaged',
    ],
    [
      'without a scheduler',
      () => rm(path.join(dir, 'scheduler'), { recursive: true }),
      'scheduler_config.json: there is no such file',
    ],
    [
      'without a text encoder',
      () => rm(path.join(dir, 'text_encoder'), { recursive: true }),
      'text_encoder/config.json: there is no such file',
    ],
  ];
  it.each(harmful)('%s is refused', async (_, disturb, fault) => {
    await writePublished(dir, folder);
    await disturb();
    const found = await readingOf(dir);
    expect(found).toMatch(/^model-(unsupported|damaged|missing): /);
    expect(found).toContain(fault);
  });
});
