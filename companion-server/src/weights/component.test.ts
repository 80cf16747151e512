import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openComponent } from './component.ts';
import { writeFiles } from './testing/made-checkpoint.ts';
import { fileBytes, halfFileBytes } from './testing/made-files.ts';
import { modernVaeNames } from './vae-attention-names.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'component-'));
  await writeFiles(dir, { 'config.json': '{}' });
});
afterEach(() => rm(dir, { recursive: true }));

const stem = 'diffusion_pytorch_model';
const part = { folder: 'net', stem };
const index = (weight_map: unknown) => JSON.stringify({ metadata: {}, weight_map });

/** The weights of a UNet folder, as name -> file name. */
async function opened(variant?: string): Promise<Record<string, string>> {
  const { weights } = await openComponent(dir, part, variant === undefined ? {} : { variant });
  return Object.fromEntries(
    [...(await weights.stored())].map(([name, { file }]) => [name, file.slice(dir.length + 1)]),
  );
}

describe('chooses the weights', () => {
  it('plain before fp16, fp16 when asked for, fp16 when it is the only one', async () => {
    const file = halfFileBytes({ a: [1] });
    await writeFiles(dir, { [`${stem}.fp16.safetensors`]: file });
    expect(await opened()).toEqual({ a: `${stem}.fp16.safetensors` });
    await writeFiles(dir, { [`${stem}.safetensors`]: file });
    expect(await opened()).toEqual({ a: `${stem}.safetensors` });
    expect(await opened('fp16')).toEqual({ a: `${stem}.fp16.safetensors` });
    expect(await opened('non_ema')).toEqual({ a: `${stem}.safetensors` });
  });

  it.each(['bf16', 'non_ema', 'fp16.non_ema'])('%s when it is the only one', async (form) => {
    await writeFiles(dir, { [`${stem}.${form}.safetensors`]: halfFileBytes({ a: [1] }) });
    expect(await opened()).toEqual({ a: `${stem}.${form}.safetensors` });
  });

  it('and leaves out buffers of whole numbers that no network asks for', async () => {
    const file = fileBytes('I64', { 'time.steps': [1], num_batches_tracked: [1] }, () => new Array<number>(8).fill(0));
    await writeFiles(dir, { [`${stem}.safetensors`]: file });
    expect(await opened()).toEqual({});
  });

  it('never a pickle', async () => {
    await writeFiles(dir, { [`${stem}.bin`]: 'pickle' });
    await expect(opened()).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringContaining(`${join(dir, stem)}.safetensors is needed`) as string,
      hint: expect.stringContaining('safe_serialization=True') as string,
    });
  });
});

describe('shards', () => {
  const shards = {
    'one.safetensors': halfFileBytes({ a: [2], b: [1] }),
    'two.safetensors': halfFileBytes({ c: [3] }),
  };
  const map = { a: 'one.safetensors', b: 'one.safetensors', c: 'two.safetensors' };

  it.each([
    `${stem}.safetensors.index.json`,
    `${stem}.safetensors.index.fp16.json`,
    `${stem}.fp16.safetensors.index.json`,
  ])('are joined by %s', async (name) => {
    await writeFiles(dir, { ...shards, [name]: index(map) });
    expect(await opened()).toEqual(map);
  });

  const faults: [string, unknown, string][] = [
    ['a map that is none', undefined, 'weight_map must be an object'],
    ['an empty map', {}, 'weight_map must be an object'],
    ['a file outside the folder', { a: '../one.safetensors' }, 'in the same folder'],
    ['an absolute path', { a: '/one.safetensors' }, 'in the same folder'],
    ['a Windows path', { a: 'C:\\one.safetensors' }, 'in the same folder'],
    ['a pickle', { a: 'one.bin' }, 'must be a .safetensors file'],
    ['a number', { a: 1 }, 'got 1'],
    ['a tensor in the wrong file', { ...map, c: 'one.safetensors' }, 'says that tensor "c" lies in one'],
  ];
  it.each(faults)('%s is damage', async (_, weightMap, message) => {
    await writeFiles(dir, { ...shards, [`${stem}.safetensors.index.json`]: index(weightMap) });
    await expect(opened()).rejects.toMatchObject({
      code: 'model-damaged',
      message: expect.stringContaining(message) as string,
    });
  });

  it('a missing shard is named', async () => {
    await writeFiles(dir, { [`${stem}.safetensors.index.json`]: index(map) });
    await expect(opened()).rejects.toMatchObject({
      code: 'model-missing',
      message: expect.stringContaining(join(dir, 'one.safetensors')) as string,
    });
  });
});

describe('the attention of a VAE', () => {
  const weight = (name: string) => `encoder.mid_block.attentions.0.${name}`;
  const modern = {
    [weight('group_norm.weight')]: [2],
    [weight('to_q.weight')]: [2, 2],
    [weight('to_q.bias')]: [2],
    [weight('to_k.weight')]: [2, 2],
    [weight('to_v.weight')]: [2, 2],
    [weight('to_out.0.weight')]: [2, 2],
    [weight('to_out.0.bias')]: [2],
    'quant_conv.weight': [2, 2, 1, 1],
  };
  const old = (kernel: number[]) => ({
    [weight('group_norm.weight')]: [2],
    [weight('query.weight')]: [2, 2, ...kernel],
    [weight('query.bias')]: [2],
    [weight('key.weight')]: [2, 2, ...kernel],
    [weight('value.weight')]: [2, 2, ...kernel],
    [weight('proj_attn.weight')]: [2, 2, ...kernel],
    [weight('proj_attn.bias')]: [2],
    'quant_conv.weight': [2, 2, 1, 1],
  });

  it.each([
    ['new names', modern],
    ['old names, linear', old([])],
    ['old names, convolutions', old([1, 1])],
  ])('%s', async (_, shapes) => {
    const zeros = fileBytes('F32', shapes, () => [0, 0, 0, 0]);
    await writeFiles(dir, { [`${stem}.safetensors`]: zeros });
    const { weights } = await openComponent(dir, { ...part, rename: modernVaeNames });
    const dims = Object.fromEntries([...weights.tensors].map(([name, info]) => [name, info.dims]));
    expect(dims).toEqual(modern);
    expect((await weights.stored()).get(weight('to_q.weight'))?.byteLength).toBe(16);
  });
});
