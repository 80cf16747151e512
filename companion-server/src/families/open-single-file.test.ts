// A diffusers folder and the one file that is made of it are the same checkpoint: the same tensors to the bit.

import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeRegularCheckpoint } from '../../../test/fixtures/regular-checkpoint.ts';
import type { RegularFamily } from '../../../test/fixtures/checkpoint-layouts.ts';
import {
  invertFolder,
  readRaw,
  writeRaw,
  type RawTensor,
  type RawTensors,
} from '../../../test/fixtures/single-file.ts';
import { EditError } from '../errors.ts';
import { tensor, type Tensor } from '../tensor/tensor.ts';
import { readStoredTensor } from '../weights/safetensors.ts';
import type { FamilyCheckpoint } from './family.ts';
import { openCheckpoint, type OpenCheckpointOptions } from './open-checkpoint.ts';
import { requireLoadable } from './require-loadable.ts';

const families = ['sd1', 'sd2', 'sdxl', 'sdxl-pruned'] as const;

let dir: string;
const folders = new Map<RegularFamily, string>();
const originals = new Map<RegularFamily, RawTensors>();
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'single-file-'));
  for (const family of families) {
    const folder = await makeRegularCheckpoint(path.join(dir, family), family);
    folders.set(family, folder);
    originals.set(family, await invertFolder(folder, family));
  }
});
afterAll(() => rm(dir, { recursive: true }));

const folderOf = (family: RegularFamily): string => folders.get(family) ?? '';
const tensorsOf = (family: RegularFamily): RawTensors => originals.get(family) ?? new Map();

let made = 0;
async function write(tensors: RawTensors, metadata: Record<string, string> = {}): Promise<string> {
  const file = path.join(dir, `${made++}.safetensors`);
  await writeRaw(file, tensors, metadata);
  return file;
}

/** Every weight of every part as float32 bytes, by part and key. */
async function valuesOf(checkpoint: FamilyCheckpoint): Promise<Map<string, { dims: readonly number[]; data: Buffer }>> {
  const found = new Map<string, { dims: readonly number[]; data: Buffer }>();
  for (const [folder, { weights }] of checkpoint.parts) {
    for (const [key, stored] of await weights.stored()) {
      const { dims, data } = inColumns(key, await readStoredTensor(stored));
      const plain = dims.filter((size, axis) => size !== 1 || axis < 2);
      found.set(`${folder} ${key.replace(/^text_projection$/, 'text_projection.weight')}`, {
        dims: plain,
        data: Buffer.from(data.buffer),
      });
    }
  }
  return found;
}

/** OpenCLIP's projection is the transpose of transformers'. */
function inColumns(key: string, matrix: Tensor): Tensor {
  if (key !== 'text_projection') return matrix;
  const [rows = 0, columns = 0] = matrix.dims;
  const turned = matrix.data.map((_, i) => matrix.data[(i % rows) * columns + Math.floor(i / rows)] ?? NaN);
  return tensor([columns, rows], turned);
}

/** Compares all tensors, and that the graphs of an edit find them. Returns what was opened. */
async function expectSame(
  file: string,
  family: RegularFamily,
  options: OpenCheckpointOptions = {},
  folder = folderOf(family),
): Promise<FamilyCheckpoint> {
  const [one, many] = [await openCheckpoint(file, options), await openCheckpoint(folder)];
  const [found, expected] = [await valuesOf(one), await valuesOf(many)];
  expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [key, { dims, data }] of expected) {
    expect(found.get(key)?.dims).toEqual(dims);
    if (found.get(key)?.data.equals(data) !== true) expect.fail(`${key} has other values`);
  }
  await requireLoadable(one);
  return one;
}

/** Changes some tensors. */
const mapped = (tensors: RawTensors, change: (key: string, tensor: RawTensor) => RawTensor): RawTensors =>
  new Map([...tensors].map(([key, tensor]) => [key, change(key, tensor)]));

const without = (tensors: RawTensors, pattern: RegExp): RawTensors =>
  new Map([...tensors].filter(([key]) => !pattern.test(key)));

const floats = (values: readonly number[]): RawTensor => ({
  dtype: 'F32',
  shape: [values.length],
  bytes: Buffer.from(Float32Array.from(values).buffer),
});

async function faultOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof EditError)
      return `${error.code}: ${error.message.replaceAll(dir, 'DIR')} | ${error.hint ?? ''}`;
    throw error;
  }
  return 'no fault';
}

describe.each(families)('one file of %s', (family) => {
  it('has the tensors of the folder, mapped where they lie', async () => {
    const file = await write(tensorsOf(family));
    const checkpoint = await expectSame(file, family);
    for (const { weights } of checkpoint.parts.values()) {
      for (const stored of (await weights.stored()).values()) expect(stored.file).toBe(file);
    }
  });

  it('is outlined as the folder is', async () => {
    const [one, many] = [await openCheckpoint(await write(tensorsOf(family))), await openCheckpoint(folderOf(family))];
    const [outline, expected] = [one.family.outline(one), many.family.outline(many)];
    expect(outline.scheduler).toEqual(expected.scheduler);
    expect(outline.vae.latents).toEqual(expected.vae.latents);
    expect(outline).toMatchObject({ sizeMultiple: expected.sizeMultiple, trainingSide: expected.trainingSide });
    const prompt = 'a photo of a wolf, snow! and some more words that are not in any small vocabulary';
    const idsOf = (text: string) => [outline, expected].map((each) => each.createConditioner().overflowOf(text));
    const [ids, others] = idsOf(prompt.repeat(8));
    expect(ids).toEqual(others);
  });

  it('in shuffled order, with copies of the training and with buffers as numbers, has the same', async () => {
    const tensors = tensorsOf(family);
    const copies: [string, RawTensor][] = [...tensors]
      .filter(([key]) => key.startsWith('model.diffusion_model.'))
      .map(([key, tensor]) => [
        `model_ema.${key.replace('model.', '').replaceAll('.', '')}`,
        { ...tensor, bytes: Buffer.alloc(tensor.bytes.length) },
      ]);
    const buffers: [string, RawTensor][] = [
      ['cond_stage_model.transformer.text_model.embeddings.position_ids', floats([0, 1, 2])],
      ['conditioner.embedders.0.transformer.text_model.embeddings.position_ids', floats([0, 1, 2])],
      ['conditioner.embedders.1.model.logit_scale', floats([1])],
      ['cond_stage_model.logit_scale', floats([1])],
      ['betas', floats([0.1, 0.2])],
      ['alphas_cumprod', floats([0.1, 0.2])],
      ['model_ema.decay', floats([0.9])],
      ['denoiser.sigmas', floats([1])],
      ['model_ema.num_updates', { dtype: 'I32', shape: [1], bytes: Buffer.alloc(4) }],
    ];
    const all = [...tensors, ...copies, ...buffers];
    const shuffled = all.map((entry, i) => [(i * 7919) % all.length, entry] as const).sort(([a], [b]) => a - b);
    await expectSame(await write(new Map(shuffled.map(([, entry]) => entry))), family);
  });

  it('in bfloat16 has the values that the folder has in bfloat16', async () => {
    const brain = (_: string, tensor: RawTensor): RawTensor => ({ ...tensor, dtype: 'BF16' });
    const file = await write(mapped(tensorsOf(family), brain));
    const one = await openCheckpoint(file);
    const bits = await valuesOf(one);
    const halves = await valuesOf(await openCheckpoint(folderOf(family)));
    expect(bits.size).toBe(halves.size);
    // The same 16 bits, read as bfloat16.
    const [key, { data }] = [...bits][0] ?? ['', { data: Buffer.of() }];
    const stored = (await one.parts.get('unet')?.weights.stored())?.get(key.replace('unet ', ''));
    expect(stored?.dtype).toBe('bfloat16');
    expect(data.length).toBe(halves.get(key)?.data.length);
    await requireLoadable(one);
  });

  it.each([
    ['F8_E4M3', 0x3c],
    ['F8_E5M2', 0x3c],
  ])('in %s is widened exactly', async (dtype, pattern) => {
    const narrow = (key: string, tensor: RawTensor): RawTensor =>
      key.endsWith('.weight') && tensor.shape.length > 1
        ? { ...tensor, dtype, bytes: Buffer.alloc(tensor.bytes.length / 2, pattern) }
        : tensor;
    const one = await openCheckpoint(await write(mapped(tensorsOf(family), narrow)));
    await requireLoadable(one);
    const stored = (await one.parts.get('unet')?.weights.stored())?.get('conv_in.weight');
    if (stored === undefined) expect.fail('conv_in.weight is missing');
    // 0x3c: 1.5 in e4m3 (exponent 7, half of a fraction), 1 in e5m2.
    expect(new Set((await readStoredTensor(stored)).data)).toEqual(new Set([dtype === 'F8_E4M3' ? 1.5 : 1]));
  });

  it('without a VAE or a text encoder takes them from the folder that the user names', async () => {
    const lacking = await write(without(tensorsOf(family), /^(first_stage_model|cond_stage_model|conditioner)\./));
    expect(await faultOf(openCheckpoint(lacking))).toMatch(
      /^model-missing: .*: the file has no VAE(, text encoder or second text encoder| or text encoder), and no other checkpoint .* \| Name a .* with --parts/,
    );
    const partsFrom = { named: folderOf(family), others: [] };
    await expectSame(lacking, family, { partsFrom });
    // Without being named, as a model that is installed.
    const others = [
      { name: 'gone', path: path.join(dir, 'none') },
      { name: 'plain', path: folderOf(family) },
    ];
    const taken = await expectSame(lacking, family, { partsFrom: { named: null, others } });
    expect(taken.notices).toEqual([
      expect.stringMatching(
        /^The model's file has no VAE.* text encoder; that of plain was used\. --parts names another\.$/,
      ),
    ]);
  });

  it('takes a VAE from a file of its own', async () => {
    const tensors = tensorsOf(family);
    const lacking = await write(without(tensors, /^first_stage_model\./));
    const vae = [...tensors].filter(([key]) => key.startsWith('first_stage_model.'));
    const bare = await write(new Map(vae.map(([key, tensor]) => [key.replace('first_stage_model.', ''), tensor])));
    for (const named of [await write(new Map(vae)), bare]) {
      await expectSame(lacking, family, { partsFrom: { named, others: [] } });
    }
  });

  it('without a VAE takes the one that the edit names, in each form', async () => {
    const tensors = tensorsOf(family);
    const lacking = await write(without(tensors, /^first_stage_model\./));
    const alone = await write(new Map([...tensors].filter(([key]) => key.startsWith('first_stage_model.'))));
    await expectSame(lacking, family, { vae: { name: 'sharp', file: alone } });
    const folder = path.join(folderOf(family), 'vae');
    for (const file of [folder, folderOf(family)]) {
      const taken = await openCheckpoint(lacking, { vae: { name: 'sharp', file } });
      expect(taken.parts.get('vae')?.dir).toBe(folder);
    }
    const refused = (file: string): Promise<string> =>
      faultOf(openCheckpoint(lacking, { vae: { name: 'sharp', file } }));
    const other = path.join(folderOf(family.startsWith('sdxl') ? 'sd1' : 'sdxl'), 'vae');
    expect(await refused(other)).toMatch(
      /^adapter-unsupported: The VAE "sharp" cannot be used: its latents have 0\.\d+ as scaling factor, those of the model 0\.\d+\./,
    );
    const broken = await write(without(await readRaw(alone), /decoder\.conv_in\.bias$/));
    expect(await refused(broken)).toMatch(/^adapter-damaged: The VAE "sharp" cannot be used: .*decoder\.conv_in\.bias/);
    expect(await refused(path.join(dir, 'none'))).toMatch(/^adapter-missing: The VAE "sharp" /);
  });

  it('that was cut short is called damaged', async () => {
    const file = await write(tensorsOf(family));
    await truncate(file, 100_000);
    expect(await faultOf(openCheckpoint(file))).toMatch(/^model-damaged: .*\.safetensors: /);
  });

  it('without one of its keys is called damaged, by the key', async () => {
    const file = await write(without(tensorsOf(family), /output_blocks\.3\.0\.out_layers\.3\.bias$/));
    const check = async () => requireLoadable(await openCheckpoint(file));
    expect(await faultOf(check())).toContain('has no weight named up_blocks.1.resnets.0.conv2.bias');
  });

  it('with a tensor of another shape is called damaged', async () => {
    const flip = (key: string, tensor: RawTensor): RawTensor =>
      key.endsWith('input_blocks.4.1.transformer_blocks.0.ff.net.2.weight')
        ? { ...tensor, shape: [...tensor.shape].reverse() }
        : tensor;
    const file = await write(mapped(tensorsOf(family), flip));
    const check = async () => requireLoadable(await openCheckpoint(file));
    expect(await faultOf(check())).toContain(
      'down_blocks.1.attentions.0.transformer_blocks.0.ff.net.2.weight must have',
    );
  });
});

describe('OpenCLIP', () => {
  it('of 24 layers is read to the last but one', async () => {
    const tensors = new Map(tensorsOf('sd2'));
    for (const [key, tensor] of tensorsOf('sd2')) {
      const [, rest] = /^cond_stage_model\.model\.transformer\.resblocks\.0\.(.+)$/.exec(key) ?? [];
      for (let layer = 2; rest !== undefined && layer < 24; layer++) {
        tensors.set(`cond_stage_model.model.transformer.resblocks.${layer}.${rest}`, tensor);
      }
    }
    const { parts } = await openCheckpoint(await write(tensors));
    const text = parts.get('text_encoder');
    expect(text?.config).toMatchObject({ num_hidden_layers: 23, hidden_act: 'gelu', num_attention_heads: 2 });
    const keys = [...(text?.weights.tensors.keys() ?? [])];
    expect(keys).toContain('text_model.encoder.layers.22.mlp.fc1.weight');
    expect(keys.some((key) => key.includes('layers.23.'))).toBe(false);
  });
});

describe('what the network predicts', () => {
  const telling = 'model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias';
  const withSpread = (spread: number): RawTensors =>
    mapped(tensorsOf('sd2'), (key, tensor) =>
      key === telling
        ? floats(tensor.shape.flatMap((size) => Array.from({ length: size }, (_, i) => (i % 2 ? spread : -spread))))
        : tensor,
    );
  const predictionOf = async (tensors: RawTensors, options: OpenCheckpointOptions = {}, metadata = {}) => {
    const { schedulerConfig, isPredictionUncertain, parts } = await openCheckpoint(
      await write(tensors, metadata),
      options,
    );
    const side = parts.get('unet')?.config['sample_size'];
    return [schedulerConfig['prediction_type'], isPredictionUncertain ? 'uncertain' : 'certain', side];
  };

  it('is noise in 1.x, and in 2.x told by the spread of a tensor', async () => {
    expect(await predictionOf(tensorsOf('sd1'))).toEqual(['epsilon', 'certain', 64]);
    expect(await predictionOf(withSpread(0.03))).toEqual(['epsilon', 'certain', 64]);
    expect(await predictionOf(withSpread(0.2))).toEqual(['v_prediction', 'certain', 96]);
    expect(await predictionOf(withSpread(0.095))).toEqual(['v_prediction', 'uncertain', 96]);
    expect(await predictionOf(without(withSpread(0.2), /output_blocks\.11\.1\..*norm1\.bias/))).toEqual([
      ...['epsilon', 'uncertain', 64],
    ]);
  });

  it('is what keys and metadata say', async () => {
    const marked = new Map([...tensorsOf('sd1'), ['v_pred', floats([0])] as const]);
    expect(await predictionOf(marked)).toEqual(['v_prediction', 'certain', 64]);
    const { schedulerConfig } = await openCheckpoint(await write(new Map([...marked, ['ztsnr', floats([0])]])));
    expect(schedulerConfig).toMatchObject({ rescale_betas_zero_snr: true, timestep_spacing: 'trailing' });
    const { schedulerConfig: ofXl, parts } = await openCheckpoint(
      await write(new Map([...tensorsOf('sdxl'), ['v_pred', floats([0])] as const, ['ztsnr', floats([0])] as const])),
    );
    expect(ofXl).toMatchObject({ prediction_type: 'v_prediction', rescale_betas_zero_snr: true });
    expect(parts.get('vae')?.config).toMatchObject({ scaling_factor: 0.13025, force_upcast: true });
    const metadata = { 'modelspec.prediction_type': 'epsilon' };
    expect(await predictionOf(withSpread(0.2), {}, metadata)).toEqual(['epsilon', 'certain', 64]);
  });

  it('is what the settings beside the file say', async () => {
    const file = await write(tensorsOf('sd1'));
    const yaml =
      'model:\n  params:\n    parameterization: "v"\n    unet_config:\n      params:\n        num_heads: 4 # fewer\n';
    await writeFile(file.replace('.safetensors', '.yaml'), yaml);
    const { schedulerConfig, parts } = await openCheckpoint(file);
    expect(schedulerConfig['prediction_type']).toBe('v_prediction');
    expect(parts.get('unet')?.config['attention_head_dim']).toBe(4);
  });

  it('is what the user says, also for a folder', async () => {
    expect(await predictionOf(withSpread(0.2), { prediction: 'epsilon' })).toEqual(['epsilon', 'certain', 96]);
    expect(await predictionOf(withSpread(0.095), { prediction: 'v_prediction' })).toEqual([
      'v_prediction',
      'certain',
      96,
    ]);
    const folder = await openCheckpoint(folderOf('sd1'), { prediction: 'v_prediction' });
    expect(folder.family.outline(folder).scheduler.predictionType).toBe('v_prediction');
  });
});

describe('a folder that is named for parts', () => {
  it('gives configs that the shapes do not tell, where they are of the same network', async () => {
    const named = { named: folderOf('sd1'), others: [] };
    const { parts, schedulerConfig } = await openCheckpoint(await write(tensorsOf('sd1')), { partsFrom: named });
    expect(parts.get('unet')?.config).toMatchObject({ sample_size: 64, attention_head_dim: 8 });
    expect(schedulerConfig['_class_name']).toBe('PNDMScheduler');
    const other = { named: folderOf('sd2'), others: [] };
    const odd = await openCheckpoint(await write(tensorsOf('sd1')), { partsFrom: other });
    expect(odd.parts.get('unet')?.config['cross_attention_dim']).toBe(64);
  });

  it('is refused where it is of another family, or no part is in it', async () => {
    const file = await write(tensorsOf('sd1'));
    const strange = await write(new Map([['double_blocks.0.a', floats([1])]]));
    expect(await faultOf(openCheckpoint(file, { partsFrom: { named: strange, others: [] } }))).toContain(
      'has no part of',
    );
    const none = openCheckpoint(file, { partsFrom: { named: path.join(dir, 'none'), others: [] } });
    expect(await faultOf(none)).toContain('model-missing: DIR/none');
  });
});

it('quantised weights are refused by name', async () => {
  const bytes = Buffer.alloc(8);
  const tensors = new Map([
    ...tensorsOf('sd1'),
    ['model.diffusion_model.out.2.weight', { dtype: 'I8', shape: [8], bytes }] as const,
  ]);
  expect(await faultOf(openCheckpoint(await write(tensors)))).toContain('quantised weights');
  const scaled = new Map([...tensorsOf('sd1'), ['model.diffusion_model.out.2.scale_weight', floats([1])] as const]);
  expect(await faultOf(openCheckpoint(await write(scaled)))).toContain('8-bit weights have scales of their own');
});
