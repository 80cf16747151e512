import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeDenoiser } from '../../../../test/describe-denoiser.ts';
import { makeTinyCheckpoint, tinyPrompts, writeJson } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { randomTensor } from '../../../../test/run-graph.ts';
import { canMountDisk, mountSmallDisk } from '../../../../test/faults/small-disk.ts';
import { EditError } from '../../errors.ts';
import { openCheckpoint } from '../../families/open-checkpoint.ts';
import { missingCopyBytes } from '../../weights/float32-copy.ts';
import { plainPass, type Pass } from '../../nets/pass.ts';
import { preferredExecution } from '../../onnx/execution.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { predict } from '../../tokenflow/denoiser.ts';
import { openSafetensors, readTensor } from '../../weights/safetensors.ts';
import { writeSafetensors } from '../../weights/safetensors-write.ts';
import { UNetDenoiser } from './unet-denoiser.ts';
import { openModel, type Model } from './model.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-model-'));
  await makeTinyCheckpoint(path.join(dir, 'good'));
});
afterAll(() => rm(dir, { recursive: true }));

const open = (name = 'good'): Promise<Model> =>
  openModel({
    dir: path.join(dir, name),
    execution: preferredExecution.cpu,
    cacheDir: path.join(dir, 'cache'),
  });

const pictureSize = { width: 64, height: 64 };

/** A checkpoint of which one JSON file differs; returns the name of its folder. */
async function changed(file: string, change: object): Promise<string> {
  const name = `changed ${file.replaceAll('/', ' ')} ${Object.keys(change).join(' ')}`;
  const folder = await makeTinyCheckpoint(path.join(dir, name));
  const json = JSON.parse(await readFile(path.join(folder, file), 'utf8')) as object;
  await writeJson(folder, file, { ...json, ...change });
  return name;
}

/** A checkpoint without the weight `key`. */
async function without(part: 'unet' | 'vae', key: string): Promise<string> {
  const name = `without ${key}`;
  const file = path.join(await makeTinyCheckpoint(path.join(dir, name)), part, 'diffusion_pytorch_model.safetensors');
  const opened = await openSafetensors(file);
  const kept = new Map<string, Tensor>();
  for (const other of opened.entries.keys()) {
    if (other !== key) kept.set(other, await readTensor(opened, other));
  }
  await writeSafetensors(file, kept);
  return name;
}

async function faultOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof EditError) return `${error.code}: ${error.message.replace(dir, 'DIR')}`;
    throw error;
  }
  return 'no fault';
}

describe('a checkpoint', () => {
  it('opens with what its configs say', async () => {
    const model = await open();
    expect(model).toMatchObject({ sizeMultiple: 32, trainingSide: 64 });
  });

  it('encodes prompts, each by itself', async () => {
    const model = await open();
    const [source, target] = await model.conditioning([tinyPrompts.source, tinyPrompts.target], pictureSize);
    const [alone] = await model.conditioning([tinyPrompts.target], pictureSize);
    expect(target?.tokens.dims).toEqual([1, 16, 32]);
    expect(target?.tokens.data).toBeAllClose(alone?.tokens.data ?? [], { atol: 1e-6 });
    expect(source?.tokens.data).not.toBeAllClose(alone?.tokens.data ?? [], { atol: 1e-2 });
  });

  it('scales latents for the UNet on the way in and back on the way out', async () => {
    const model = await open();
    const half = await open(await changed('vae/config.json', { scaling_factor: 0.18215 / 2 }));
    const size = { height: 8, width: 8 };
    const image = randomTensor([1, 3, 32, 32]);
    const encode = async (from: Model) => {
      const vae = await from.openEncoder(size);
      const latents = await vae.run(image);
      const decoder = await from.openDecoder(size);
      const decoded = await decoder.run(latents);
      await vae.release();
      await decoder.release();
      return { latents, decoded };
    };
    const [once, other] = [await encode(model), await encode(half)];
    expect(other.latents.data).toBeAllClose(
      once.latents.data.map((x) => x / 2),
      { atol: 1e-5 },
    );
    expect(other.decoded.data).toBeAllClose(once.decoded.data, { atol: 1e-3 });
  });
});

describe('a checkpoint whose parts do not belong together is refused', () => {
  it.each([
    [
      'vae/config.json',
      { latent_channels: 8 },
      'model-unsupported: DIR/FOLDER: the UNet works on 4 latent channels, the VAE on 8.',
    ],
    [
      'unet/config.json',
      { cross_attention_dim: 64 },
      'model-unsupported: DIR/FOLDER: the UNet reads text of width 64, the text encoder writes 32.',
    ],
    [
      'unet/config.json',
      { in_channels: 9 },
      'model-unsupported: DIR/FOLDER/unet: this is an inpainting model: its UNet takes 9 input channels; it is not supported.',
    ],
    [
      'unet/config.json',
      { addition_embed_type: 'text_time' },
      'model-unsupported: DIR/FOLDER/unet: this is Stable Diffusion XL: its UNet has addition_embed_type "text_time"; it is not supported.',
    ],
    [
      'unet/config.json',
      { class_embed_type: 'timestep' },
      'model-unsupported: unet/config.json: class_embed_type must be null, got "timestep".',
    ],
  ])('when %s has %o', async (file, change, fault) => {
    const name = await changed(file, change);
    expect(await faultOf(() => open(name))).toBe(fault.replace('FOLDER', name));
  });

  it('when the tokenizer knows tokens that the text encoder does not', async () => {
    const name = await changed('text_encoder/config.json', { vocab_size: 2 });
    const model = await open(name);
    expect(await faultOf(() => model.conditioning(['a cat'], pictureSize))).toMatch(
      /^model-damaged: .*: the tokenizer knows a token \d+, the text encoder 2 tokens\.$/,
    );
  });

  it('when a weight has another shape than the config says', async () => {
    const model = await open(await changed('vae/config.json', { block_out_channels: [16, 32, 64] }));
    expect(await faultOf(() => model.openDecoder({ height: 8, width: 8 }))).toContain(
      'weight decoder.conv_in.weight must have the shape [64, 4, 3, 3], got [32, 4, 3, 3].',
    );
  });
});

it('says what all copies of weights take on a small disk, before the first is made', async ({ skip }) => {
  if (!canMountDisk) skip();
  const disk = mountSmallDisk(1);
  const cacheDir = path.join(disk, 'cache');
  const checkpoint = await openCheckpoint(path.join(dir, 'good'));
  const needs = await Promise.all(
    [...checkpoint.parts.values()].map((part) => missingCopyBytes(part.weights, cacheDir)),
  );
  const whole = Math.ceil(needs.reduce((sum, bytes) => sum + bytes, 0) / 1e6);
  const small = openModel({ dir: path.join(dir, 'good'), execution: preferredExecution.cpu, cacheDir });
  await expect(small).rejects.toMatchObject({
    code: 'disk-full',
    message: expect.stringContaining(`of all weights of the checkpoint takes ${whole} MB`) as string,
  });
  expect(await readdir(path.join(cacheDir, 'weights'))).toEqual([]);
});

describe('a missing weight is named', () => {
  it('of the VAE when it is opened', async () => {
    const name = await without('vae', 'decoder.conv_out.bias');
    const model = await open(name);
    expect(await faultOf(() => model.openDecoder({ height: 8, width: 8 }))).toBe(
      `model-damaged: DIR/${name}: vae decoder: the checkpoint has no weight named decoder.conv_out.bias.`,
    );
  });

  it('of the UNet at its first forward, and the denoiser can still be released', async () => {
    const name = await without('unet', 'mid_block.resnets.0.conv1.weight');
    const denoiser = (await open(name)).createDenoiser({ height: 8, width: 8 });
    const [latents, conditioning] = [randomTensor([1, 4, 8, 8]), { tokens: randomTensor([1, 16, 32]) }];
    expect(await faultOf(() => predict(denoiser, latents, 1, conditioning))).toBe(
      `model-damaged: DIR/${name}: UNet: self attention of source: the checkpoint has no weight named mid_block.resnets.0.conv1.weight.`,
    );
    await expect(denoiser.release()).resolves.toBeUndefined();
  });
});

describe.each(['sd1', 'sd2'] as const)('the UNet of %s', (family) => {
  describeDenoiser('its graphs', async () => {
    const folder = await makeTinyCheckpoint(path.join(dir, family), family);
    const model = await open(path.basename(folder));
    const denoiser = model.createDenoiser({ height: 8, width: 8 });
    return {
      denoiser,
      latentDims: [4, 8, 8],
      tokenDims: [16, family === 'sd1' ? 32 : 40],
      release: () => denoiser.release(),
    };
  });
});

const guidedPass: Pass = { ...plainPass, branches: ['negative', 'target'] };

describe('a denoiser', () => {
  it('counts forwards of one latent, and tells after each pass', async () => {
    const denoiser = (await open()).createDenoiser({ height: 8, width: 8 });
    const seen: number[] = [];
    denoiser.onForward = () => seen.push(denoiser.evaluations);
    const text = { tokens: randomTensor([1, 16, 32]) };
    const frames = randomTensor([2, 4, 8, 8]);
    await predict(denoiser, frames, 1, text);
    const conditioning = { source: text, negative: text, target: text };
    await denoiser.run(guidedPass, { latents: { edited: frames }, timestep: 1, conditioning });
    const injected: Pass = {
      ...guidedPass,
      branches: ['source', 'target'],
      injection: { attention: true, features: true },
    };
    await denoiser.run(injected, { latents: { source: frames, edited: frames }, timestep: 1, conditioning });
    await denoiser.release();
    expect(seen).toEqual([2, 6, 10]);
  });

  it('releases every session that was loaded, also when another failed', async () => {
    const released: string[] = [];
    let isFirst = true;
    const good = await open();
    const denoiser = new UNetDenoiser({
      network: good.unet,
      size: { height: 8, width: 8 },
      graph: { weights: new Map(), float: 'float32', fused: preferredExecution.cpu.fused },
      keepsBatch: false,
      createSession: () => {
        if (!isFirst) return Promise.reject(new Error('no memory'));
        isFirst = false;
        const run = () => Promise.resolve({ 'prediction.source': randomTensor([1, 4, 8, 8]) });
        return Promise.resolve({
          run,
          release: () => Promise.resolve(void released.push('plain')),
        });
      },
    });
    const [frames, text] = [randomTensor([1, 4, 8, 8]), { tokens: randomTensor([1, 16, 32]) }];
    await predict(denoiser, frames, 1, text);
    const conditioning = { negative: text, target: text };
    await expect(denoiser.run(guidedPass, { latents: { edited: frames }, timestep: 1, conditioning })).rejects.toThrow(
      'no memory',
    );
    await denoiser.release();
    expect(released).toEqual(['plain']);
  });
});
