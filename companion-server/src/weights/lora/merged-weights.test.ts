import { mkdtemp, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CanceledError } from '../../errors.ts';
import { tensor } from '../../tensor/tensor.ts';
import { readStoredTensor } from '../safetensors.ts';
import { writeSafetensors } from '../safetensors-write.ts';
import type { TensorSource } from '../tensor-source.ts';
import { fileBytes } from '../testing/made-files.ts';
import { changesByWeight } from './match-lora.ts';
import { makeRoom, mergedFile } from './merged-copies.ts';
import { mergedWeights, type MergeOptions } from './merged-weights.ts';
import { matchUNet, plainProducts, sourceIn, writeTensors } from './testing/made-lora.ts';

let dir: string;
let cacheDir: string;
let model: TensorSource;
let loraFile: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'merged-weights-'));
  cacheDir = join(dir, 'cache');
  model = await sourceIn(
    await writeTensors(dir, 'model.safetensors', { 'a.weight': [4, 6], 'a.bias': [4], 'b.weight': [4, 4] }),
  );
  loraFile = await writeTensors(
    dir,
    'look.safetensors',
    { 'lora_unet_a.lora_down.weight': [2, 6], 'lora_unet_a.lora_up.weight': [4, 2] },
    { seed: 2 },
  );
});
afterEach(() => rm(dir, { recursive: true }));

const optionsOf = (more: Partial<MergeOptions> = {}): MergeOptions => ({
  cacheDir,
  openProducts: plainProducts,
  inUse: new Set(),
  ...more,
});

async function merged(strength = 1, more: Partial<MergeOptions> = {}, file = loraFile): Promise<TensorSource> {
  const matched = await matchUNet({ name: 'look', file, strength }, model);
  return mergedWeights(model, changesByWeight([matched]).get('unet') ?? new Map(), optionsOf(more));
}

async function valuesOf(source: TensorSource, key: string): Promise<readonly number[]> {
  const stored = (await source.stored()).get(key);
  if (stored === undefined) expect.fail(`${key} is missing`);
  return [...(await readStoredTensor(stored)).data];
}

describe('merged weights', () => {
  it('are written where they change, and stay in their file where they do not', async () => {
    const stored = await (await merged()).stored();
    const before = await model.stored();
    expect(stored.get('b.weight')).toEqual(before.get('b.weight'));
    expect(stored.get('a.bias')).toEqual(before.get('a.bias'));
    expect(stored.get('a.weight')?.file).toContain(cacheDir);
    const [file = ''] = await readdir(cacheDir);
    // A page for the header, and the one weight.
    expect((await stat(join(cacheDir, file))).size).toBe(4096 + 4 * 4 * 6);
  });

  it('take along what a graph could not refer to beside them, as it is', async () => {
    const file = join(dir, 'half.safetensors');
    const shapes = { 'a.weight': [4, 6], 'b.weight': [3] };
    // 1, in the upper half of a float32.
    await writeFile(
      file,
      fileBytes('BF16', shapes, () => [0x80, 0x3f]),
    );
    const halves = await sourceIn(file);
    const matched = await matchUNet({ name: 'look', file: loraFile, strength: 1 }, halves);
    const changes = changesByWeight([matched]).get('unet') ?? new Map();
    const stored = await mergedWeights(halves, changes, optionsOf({ isReachable: () => false })).stored();
    expect([...stored.values()].every((one) => one.file.startsWith(cacheDir))).toBe(true);
    expect(stored.get('b.weight')).toMatchObject({ dtype: 'bfloat16', dims: [3] });
    expect(stored.get('a.weight')).toMatchObject({ dtype: 'float32', dims: [4, 6] });
    const [b, a] = [stored.get('b.weight'), stored.get('a.weight')];
    if (a === undefined || b === undefined) expect.fail('a weight is missing');
    expect([...(await readStoredTensor(b)).data]).toEqual([1, 1, 1]);
    expect([...(await readStoredTensor(a)).data]).not.toContain(1);
  });

  it('follow the strength in proportion', async () => {
    const before = await valuesOf(model, 'a.weight');
    const half = await valuesOf(await merged(0.5), 'a.weight');
    const opposite = await valuesOf(await merged(-2), 'a.weight');
    half.forEach((value, i) => {
      const change = value - (before[i] ?? 0);
      expect((opposite[i] ?? 0) - (before[i] ?? 0)).toBeCloseTo(-4 * change, 4);
    });
    expect(half).not.toEqual(before);
  });

  it('are made once, and found again by another edit', async () => {
    let made = 0;
    const openProducts = () => {
      made++;
      return plainProducts();
    };
    const first = await valuesOf(await merged(1, { openProducts }), 'a.weight');
    expect(await valuesOf(await merged(1, { openProducts }), 'a.weight')).toEqual(first);
    expect(made).toBe(1);
    await (await merged(0.9, { openProducts })).stored();
    expect(made).toBe(2);
    expect(await readdir(cacheDir)).toHaveLength(2);
  });

  it('are made again when their file is damaged', async () => {
    const first = await valuesOf(await merged(), 'a.weight');
    const [file = ''] = await readdir(cacheDir);
    await truncate(join(cacheDir, file), 4100);
    expect(await valuesOf(await merged(), 'a.weight')).toEqual(first);
  });

  it('are others when the file of the LoRA has changed', async () => {
    const before = await (await merged()).fingerprint();
    await utimes(loraFile, 1, 1);
    expect(await (await merged()).fingerprint()).not.toBe(before);
  });

  it('leave nothing behind when they are canceled', async () => {
    const stop = new AbortController();
    const openProducts = () => {
      stop.abort();
      return plainProducts();
    };
    const source = await merged(1, { signal: stop.signal, openProducts });
    await expect(source.stored()).rejects.toBeInstanceOf(CanceledError);
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it('name the LoRA whose file has gone since it was opened', async () => {
    const source = await merged();
    await rm(loraFile);
    await expect(source.stored()).rejects.toMatchObject({
      code: 'adapter-missing',
      message: expect.stringContaining('The LoRA "look"') as string,
    });
  });

  it('refuse a LoRA with values that are no numbers, and keep nothing of it', async () => {
    const file = join(dir, 'broken.safetensors');
    await writeSafetensors(
      file,
      new Map([
        ['lora_unet_a.lora_down.weight', tensor([1, 6], new Float32Array(6).fill(NaN))],
        ['lora_unet_a.lora_up.weight', tensor([4, 1], new Float32Array(4).fill(1))],
      ]),
    );
    const source = await merged(1, {}, file);
    await expect(source.stored()).rejects.toMatchObject({
      code: 'adapter-damaged',
      message: expect.stringContaining('are no numbers') as string,
    });
    expect(await readdir(cacheDir)).toEqual([]);
  });
});

describe('files of merged weights', () => {
  const keep = async (name: string, usedSeconds: number) => {
    const file = mergedFile(cacheDir, name);
    await writeSafetensors(file, new Map([['a', tensor([1000])]]));
    await utimes(file, usedSeconds, usedSeconds);
    return file;
  };

  it('go when there are too many, the longest unused first, and never those of this edit', async () => {
    await (await merged()).stored();
    const [own = ''] = await readdir(cacheDir);
    await utimes(join(cacheDir, own), 1, 1);
    const [oldest, older, newest] = [await keep('oldest', 10), await keep('older', 20), await keep('newest', 30)];
    const copy = join(cacheDir, 'copy-of-a-checkpoint.safetensors');
    await writeSafetensors(copy, new Map([['a', tensor([1000])]]));
    // All but one of three have room beside what is needed.
    const { size } = await stat(newest);
    await makeRoom(cacheDir, size, new Set([join(cacheDir, own)]), 2.9 * size);
    const left = await readdir(cacheDir);
    expect(left).toContain(own);
    expect(left).toContain('copy-of-a-checkpoint.safetensors');
    expect(left.map((name) => join(cacheDir, name))).toContain(newest);
    for (const gone of [oldest, older]) await expect(stat(gone)).rejects.toThrow('ENOENT');
  });
});
