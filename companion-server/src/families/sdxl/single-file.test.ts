// Stable Diffusion XL in one file, made from the golden folders, is the folder: tensors, configs and numbers to the bit. The
// folders are smaller than any real network, so that heads, groups of channels and the vocabulary come from them.

import { cp, mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenDir } from '../../../../test/fixture-networks.ts';
import { sdxlUNetConfigs } from '../../../../test/fixtures/sdxl-configs.ts';
import {
  invertFolder,
  invertUNet,
  readRaw,
  transposed,
  writeRaw,
  type RawTensor,
  type RawTensors,
} from '../../../../test/fixtures/single-file.ts';
import { sdxlUNetShapes } from '../../../../test/random-unet.ts';
import { fused, randomTensor, runGraph } from '../../../../test/run-graph.ts';
import { EditError } from '../../errors.ts';
import { buildPassGraph } from '../../nets/pass-graph.ts';
import { plainPass } from '../../nets/pass.ts';
import { withoutFiles } from '../../tensor/stored-tensor.ts';
import { float32Copy } from '../../weights/float32-copy.ts';
import { readStoredTensor } from '../../weights/safetensors.ts';
import type { TensorSource } from '../../weights/tensor-source.ts';
import type { FamilyCheckpoint } from '../family.ts';
import { openCheckpoint } from '../open-checkpoint.ts';
import { requireLoadable } from '../require-loadable.ts';
import { parseUNetConfig } from './unet-config.ts';
import { singleFile } from './single-file.ts';

const goldens = ['sdxl', 'sdxl-pruned'] as const;
type Golden = (typeof goldens)[number];

let dir: string;
const inverted = new Map<Golden, RawTensors>();
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-xl-file-'));
  for (const golden of goldens) inverted.set(golden, await invertFolder(folderOf(golden), 'sdxl'));
});
afterAll(() => rm(dir, { recursive: true }));

const folderOf = (golden: Golden): string => path.join(goldenDir, golden);
const tensorsOf = (golden: Golden): RawTensors => inverted.get(golden) ?? new Map();

let made = 0;
async function write(tensors: RawTensors): Promise<string> {
  const file = path.join(dir, `${made++}.safetensors`);
  await writeRaw(file, tensors);
  return file;
}

const open = (file: string, named: string): Promise<FamilyCheckpoint> =>
  openCheckpoint(file, { partsFrom: { named, others: [] } });

/** Every weight by part and key, as its file has it. OpenCLIP's projection is turned to be as in a folder. */
async function valuesOf(checkpoint: FamilyCheckpoint): Promise<Map<string, RawTensor>> {
  const found = new Map<string, RawTensor>();
  for (const [folder, { weights }] of checkpoint.parts) {
    for (const [key, stored] of await weights.stored()) {
      const { dims, data } = await readStoredTensor(stored);
      const tensor = { dtype: stored.dtype, shape: dims, bytes: Buffer.from(data.buffer) };
      if (key === 'text_projection') found.set(`${folder} ${key}.weight`, transposed(tensor));
      else found.set(`${folder} ${key}`, tensor);
    }
  }
  return found;
}

/** Compares tensors, configs and outline, and that an edit's graphs find all that they need. */
async function expectSame(file: string, folder: string): Promise<FamilyCheckpoint> {
  const [one, many] = [await open(file, folder), await openCheckpoint(folder)];
  const [found, expected] = [await valuesOf(one), await valuesOf(many)];
  expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [key, { dtype, shape, bytes }] of expected) {
    expect([key, found.get(key)?.dtype, found.get(key)?.shape]).toEqual([key, dtype, shape]);
    if (found.get(key)?.bytes.equals(bytes) !== true) expect.fail(`${key} has other values`);
  }
  for (const [part, { config }] of many.parts) expect([part, one.parts.get(part)?.config]).toEqual([part, config]);
  expect(one.family).toBe(many.family);
  expect(one.schedulerConfig).toEqual(many.schedulerConfig);
  expect(one.tokenizers).toEqual(many.tokenizers);
  await requireLoadable(one);
  return one;
}

const without = (tensors: RawTensors, pattern: RegExp): RawTensors =>
  new Map([...tensors].filter(([key]) => !pattern.test(key)));

const floats = (values: readonly number[]): RawTensor => ({
  dtype: 'F32',
  shape: [values.length],
  bytes: Buffer.from(Float32Array.from(values).buffer),
});

/** The most significant bytes of each value as another type: other numbers, which are the same wherever they are. */
function narrowed({ shape, bytes }: RawTensor, dtype: string, itemSize: 1 | 2): RawTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const wide = bytes.length / count;
  const kept = Buffer.alloc(count * itemSize);
  for (let i = 0; i < count; i++) bytes.copy(kept, i * itemSize, (i + 1) * wide - itemSize, (i + 1) * wide);
  // Without the largest exponents: no infinity.
  for (let i = itemSize - 1; i < kept.length; i += itemSize) kept.writeUInt8(kept.readUInt8(i) & 0xbf, i);
  return { dtype, shape, bytes: kept };
}

async function faultOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof EditError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no fault';
}

describe.each(goldens)('one file of %s', (golden) => {
  it('is the folder, mapped where it lies', async () => {
    const file = await write(tensorsOf(golden));
    const { parts } = await expectSame(file, folderOf(golden));
    for (const { weights } of parts.values()) {
      for (const stored of (await weights.stored()).values()) expect(stored.file).toBe(file);
    }
  });

  it('tells by its shapes what the config of its UNet says', async () => {
    const own = await singleFile.read({
      path: '',
      tensors: withoutFiles(new Map([...tensorsOf(golden)].map(([key, { shape }]) => [key, info(shape)]))),
      ...nothingElse,
    });
    const { attention_head_dim, norm_num_groups, sample_size, ...told } = own.parts.get('unet')?.config ?? {};
    expect([attention_head_dim, norm_num_groups, sample_size]).not.toContain(undefined);
    const { parts } = await openCheckpoint(folderOf(golden));
    const config = parts.get('unet')?.config ?? {};
    for (const [field, value] of Object.entries(told)) expect([field, value]).toEqual([field, config[field]]);
    expect(own.parts.get('vae')?.config).toMatchObject({ scaling_factor: 0.13025, force_upcast: true });
    expect(own.parts.get('text_encoder_2')?.config).toMatchObject({ projection_dim: 10, num_hidden_layers: 3 });
  });

  it('in shuffled order, with copies of the training and with buffers as numbers, is the same', async () => {
    const copies = [...tensorsOf(golden)]
      .filter(([key]) => key.startsWith('model.diffusion_model.'))
      .map(([key, tensor]): [string, RawTensor] => [
        `model_ema.${key.replace('model.', '').replaceAll('.', '')}`,
        { ...tensor, bytes: Buffer.alloc(tensor.bytes.length) },
      ]);
    const buffers: [string, RawTensor][] = [
      ['conditioner.embedders.0.transformer.text_model.embeddings.position_ids', floats([0, 1, 2])],
      ['conditioner.embedders.1.model.logit_scale', floats([1])],
      ['conditioner.embedders.0.logit_scale', floats([1])],
      ['denoiser.sigmas', floats([1])],
      ['alphas_cumprod', floats([0.1])],
      ['model_ema.num_updates', { dtype: 'I32', shape: [1], bytes: Buffer.alloc(4) }],
    ];
    const all = [...tensorsOf(golden), ...copies, ...buffers];
    const shuffled = all.map((entry, i) => [(i * 7919) % all.length, entry] as const).sort(([a], [b]) => a - b);
    await expectSame(await write(new Map(shuffled.map(([, entry]) => entry))), folderOf(golden));
  });

  it.each([
    ['BF16', 2],
    ['F8_E4M3', 1],
    ['F8_E5M2', 1],
  ] as const)('in %s is the folder in it', async (dtype, itemSize) => {
    const folder = path.join(dir, `${golden}-${dtype}`);
    await cp(folderOf(golden), folder, { recursive: true });
    for (const name of await readdir(folder, { recursive: true })) {
      if (!/(model)\.safetensors$/.test(name)) continue;
      const file = path.join(folder, name);
      const narrow = [...(await readRaw(file))].map(
        ([key, tensor]) => [key, narrowed(tensor, dtype, itemSize)] as const,
      );
      await writeRaw(file, new Map(narrow));
    }
    await expectSame(await write(await invertFolder(folder, 'sdxl')), folder);
  });

  it.each([
    ['a VAE', /^first_stage_model\./],
    ['the first text encoder', /^conditioner\.embedders\.0\./],
    ['the second text encoder', /^conditioner\.embedders\.1\./],
    ['a VAE and both text encoders', /^(first_stage_model|conditioner)\./],
  ])('without %s takes it from the folder that the user names', async (_name, part) => {
    await expectSame(await write(without(tensorsOf(golden), part)), folderOf(golden));
  });

  it('computes what the folder computes, to the bit', async () => {
    const file = await write(tensorsOf(golden));
    const folder = await computed(await openCheckpoint(folderOf(golden)));
    const one = await computed(await open(file, folderOf(golden)));
    expect(Object.keys(folder.predicted)).toHaveLength(1);
    expect(one.told.tokens).toEqual(folder.told.tokens);
    expect(one.told.timeIds).toEqual(folder.told.timeIds);
    expect(one.told.pooled).toEqual(folder.told.pooled);
    expect(one.predicted).toEqual(folder.predicted);
  });

  it('that was cut short is called damaged', async () => {
    const file = await write(tensorsOf(golden));
    await truncate(file, 100_000);
    expect(await faultOf(open(file, folderOf(golden)))).toMatch(/^model-damaged: .*\.safetensors: /);
  });

  it.each([
    ['model.diffusion_model.output_blocks.3.0.out_layers.3.bias', 'up_blocks.1.resnets.0.conv2.bias'],
    ['conditioner.embedders.1.model.text_projection', 'text_projection.weight'],
    ['conditioner.embedders.0.transformer.text_model.encoder.layers.1.mlp.fc1.bias', 'layers.1.mlp.fc1.bias'],
    ['model.diffusion_model.label_emb.0.2.weight', 'add_embedding.linear_2.weight'],
  ])('without %s is refused by the name of what is missing', async (key, missing) => {
    const tensors = new Map(tensorsOf(golden));
    expect(tensors.delete(key)).toBe(true);
    const file = await write(tensors);
    const check = async () => requireLoadable(await open(file, folderOf(golden)));
    expect(await faultOf(check())).toMatch(/^model-damaged: /);
    expect(await faultOf(check())).toContain(missing);
  });

  it('with a tensor of another shape is refused by its name', async () => {
    const key = 'model.diffusion_model.input_blocks.4.1.transformer_blocks.0.ff.net.2.weight';
    const tensor = tensorsOf(golden).get(key) ?? floats([]);
    const file = await write(new Map([...tensorsOf(golden), [key, { ...tensor, shape: [...tensor.shape].reverse() }]]));
    const check = async () => requireLoadable(await open(file, folderOf(golden)));
    expect(await faultOf(check())).toContain(
      'down_blocks.1.attentions.0.transformer_blocks.0.ff.net.2.weight must have',
    );
  });
});

const info = (dims: readonly number[]) => ({ dtype: 'float16', dims }) as const;
const nothingElse = { others: new Map(), metadata: new Map(), settings: new Map() };

/**
 * The conditioning of a prompt beside another, and what the UNet predicts with it. A prompt alone would be projected by another
 * kernel of the runtime, which adds up in another order.
 */
async function computed(checkpoint: FamilyCheckpoint) {
  const { unet, weights, createConditioner } = checkpoint.family.outline(checkpoint);
  const graphOptions = async (name: string, source: TensorSource) => {
    const stored = await float32Copy(source, path.join(dir, 'cache')).stored();
    return { name, weights: stored, float: 'float32', fused } as const;
  };
  const [told] = await createConditioner().conditioning(
    ['a silver wolf', 'a wolf'],
    { width: 64, height: 32 },
    async (text) => runGraph(text.build(await graphOptions(text.name, text.weights)), text.feeds),
  );
  if (told === undefined) throw new TypeError('There is no conditioning.');
  const graph = buildPassGraph(unet, { height: 8, width: 16 }, plainPass, await graphOptions('UNet', weights.unet));
  const latents = Object.fromEntries(
    graph.inputs
      .filter(({ name }) => name.startsWith('latents.'))
      .map(({ name }) => [name, randomTensor([1, 4, 8, 16])]),
  );
  return { told, predicted: await runGraph(graph, { ...latents, ...unet.feeds(501, [told]) }) };
}

describe.each(Object.entries(sdxlUNetConfigs))('the shapes of %s', (_name, config) => {
  const unet = new Map(
    [...invertUNet(sdxlUNetShapes(config), config)].map(([key, dims]) => [`model.diffusion_model.${key}`, info(dims)]),
  );

  it('tell its whole config', async () => {
    expect(singleFile.recognises(unet, new Map())).toBe('Stable Diffusion XL');
    const { parts, schedulerConfig } = await singleFile.read({
      path: '',
      tensors: withoutFiles(unet),
      ...nothingElse,
    });
    expect(parseUNetConfig(parts.get('unet')?.config ?? {})).toEqual(parseUNetConfig(config));
    expect(schedulerConfig['prediction_type']).toBe('epsilon');
  });

  it('fit the encoders of Stable Diffusion XL and no others', async () => {
    const { parts } = await singleFile.read({ path: '', tensors: withoutFiles(unet), ...nothingElse });
    const unetConfig = parts.get('unet')?.config ?? {};
    const alone = new Map([['unet', unetConfig]]);
    const [clip, openClip] = [{ hidden_size: 768 }, { hidden_size: 1280, projection_dim: 1280 }];
    expect(singleFile.isPartFor('text_encoder', clip, alone)).toBe(true);
    const withClip = new Map([...alone, ['text_encoder', clip]]);
    expect(singleFile.isPartFor('text_encoder_2', openClip, withClip)).toBe(true);
    expect(singleFile.isPartFor('text_encoder_2', { ...openClip, hidden_size: 1024 }, withClip)).toBe(false);
    expect(singleFile.isPartFor('text_encoder_2', { ...openClip, projection_dim: 768 }, withClip)).toBe(false);
    const withOpenClip = new Map([...alone, ['text_encoder_2', openClip]]);
    expect(singleFile.isPartFor('text_encoder', { hidden_size: 1024 }, withOpenClip)).toBe(false);
    expect(singleFile.isPartFor('vae', { latent_channels: 16 }, alone)).toBe(false);
  });
});

it('velocity is told by the key v_pred, and a schedule without any signal at its end by ztsnr', async () => {
  const marked = new Map([...tensorsOf('sdxl'), ['v_pred', floats([0])] as const, ['ztsnr', floats([0])] as const]);
  const { schedulerConfig } = await openCheckpoint(await write(marked));
  expect(schedulerConfig).toMatchObject({
    prediction_type: 'v_prediction',
    rescale_betas_zero_snr: true,
    timestep_spacing: 'trailing',
  });
});
