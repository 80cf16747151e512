// A checkpoint is said to be usable only when an edit can load it: each of these was opened without a word, and failed then.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRaw, writeRaw, type RawTensor } from '../../../test/fixtures/single-file.ts';
import { makeTinyCheckpoint, writeJson } from '../../../test/fixtures/tiny-checkpoint.ts';
import { openCheckpoint } from './open-checkpoint.ts';
import { requireLoadable } from './require-loadable.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'loadable-'));
});
afterAll(() => rm(dir, { recursive: true }));

let made = 0;
const fresh = (family: 'sd1' | 'sd2' = 'sd1') => makeTinyCheckpoint(path.join(dir, String(made++)), family);
const check = async (folder: string) => requireLoadable(await openCheckpoint(folder));

it.each(['sd1', 'sd2'] as const)('a whole checkpoint of %s is', async (family) => {
  await expect(check(await fresh(family))).resolves.toBeUndefined();
});

it.each<[string, string, object, string]>([
  ['time conditioning of a consistency model', 'unet', { time_cond_proj_dim: 256 }, 'time_cond_proj_dim must be null'],
  ['gated attention', 'unet', { attention_type: 'gated' }, 'attention_type must be "default"'],
  ['no middle block', 'unet', { mid_block_type: null }, 'mid_block_type must be'],
  ['more layers than weights', 'unet', { layers_per_block: 2 }, 'has no weight named down_blocks.0.resnets.1'],
  ['another width than its weights', 'unet', { block_out_channels: [16, 32, 48, 64] }, 'must have the shape'],
  ['a VAE of 16 channels', 'vae', { latent_channels: 16 }, 'the UNet works on 4 latent channels, the VAE on 16'],
  ['more text layers than weights', 'text_encoder', { num_hidden_layers: 3 }, 'text_model.encoder.layers.1'],
  ['a smaller vocabulary than its weights', 'text_encoder', { vocab_size: 10 }, 'the tokenizer knows a token'],
])('one with %s is not', async (_, part, change, message) => {
  const folder = await fresh();
  const config = path.join(folder, part, 'config.json');
  const json = JSON.parse(await readFile(config, 'utf8')) as object;
  await writeJson(path.join(folder, part), 'config.json', { ...json, ...change });
  await expect(check(folder)).rejects.toThrow(message);
});

it.each([
  ['merges.txt', '#version: 0.2\nab\n', 'merges.txt line 2 must be'],
  ['vocab.json', '{"a": 0}', 'no token'],
])('one with a broken %s is not', async (name, text, message) => {
  const folder = await fresh();
  await writeFile(path.join(folder, 'tokenizer', name), text);
  await expect(check(folder)).rejects.toThrow(message);
});

it.each<[string, string, string, (tensor: RawTensor) => RawTensor | null, string]>([
  ['a weight of the UNet missing', 'unet', 'mid_block.resnets.1.conv2.bias', () => null, 'has no weight named'],
  ['a weight of the encoder missing', 'vae', 'encoder.conv_out.bias', () => null, 'has no weight named'],
  ['a weight of the decoder missing', 'vae', 'decoder.conv_in.bias', () => null, 'has no weight named'],
  [
    'a matrix lying on its side',
    'unet',
    'down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight',
    (tensor) => ({ ...tensor, shape: [...tensor.shape].reverse() }),
    'must have the shape [16, 32], got [32, 16]',
  ],
])('one with %s is not', async (_, part, key, change, message) => {
  const folder = await fresh();
  const file = path.join(folder, part, 'diffusion_pytorch_model.safetensors');
  const tensors = new Map(await readRaw(file));
  const tensor = tensors.get(key);
  if (tensor === undefined) expect.fail(`The checkpoint has no ${key}.`);
  const changed = change(tensor);
  if (changed === null) tensors.delete(key);
  else tensors.set(key, changed);
  await writeRaw(file, tensors);
  await expect(check(folder)).rejects.toMatchObject({
    code: 'model-damaged',
    message: expect.stringContaining(message) as string,
  });
});
