import { mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CanceledError } from '../errors.ts';
import type { StoredTensors } from '../tensor/stored-tensor.ts';
import { tensor } from '../tensor/tensor.ts';
import { float32Copy, missingCopyBytes, withoutFloat8 } from './float32-copy.ts';
import { openSafetensors, readStoredTensor, storedTensors } from './safetensors.ts';
import { writeSafetensors } from './safetensors-write.ts';
import { tensorsInFiles } from './tensor-source.ts';
import { fileBytes, halfFileBytes, safetensorsBytes } from './testing/made-files.ts';

let dir: string;
let cacheDir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'float32-copy-'));
  cacheDir = join(dir, 'cache', 'weights');
});
afterEach(() => rm(dir, { recursive: true }));

const weightsOf = async (file: string): Promise<StoredTensors> => storedTensors(await openSafetensors(file));

/** What float32Copy makes of weights in files. */
const copyOf = (weights: StoredTensors, folder: string, signal?: AbortSignal): Promise<StoredTensors> =>
  float32Copy(tensorsInFiles(weights), folder, signal).stored();

async function halfWeights(): Promise<StoredTensors> {
  const file = join(dir, 'half.safetensors');
  await writeFile(file, halfFileBytes({ small: [3], large: [4, 8] }));
  return weightsOf(file);
}

describe('float32Copy', () => {
  it('hands float32 weights back as they are and writes nothing', async () => {
    const file = join(dir, 'float.safetensors');
    await writeSafetensors(file, new Map([['a', tensor([3])]]));
    const weights = await weightsOf(file);
    expect(await copyOf(weights, cacheDir)).toBe(weights);
    await expect(stat(cacheDir)).rejects.toThrow('ENOENT');
  });

  it('widens halves into one file with aligned tensors, under the same names and dims', async () => {
    const weights = await halfWeights();
    // A weight may be seen under other dims than its file says, as the VAE's old attention is.
    const viewed = new Map([...weights].map(([name, w]) => [name, name === 'large' ? { ...w, dims: [32] } : w]));
    const copy = await copyOf(viewed, cacheDir);
    expect([...copy.keys()].sort()).toEqual(['large', 'small']);
    for (const [name, stored] of copy) {
      expect(stored.dtype).toBe('float32');
      expect(stored.byteOffset % 4).toBe(0);
      expect(stored.dims).toEqual(viewed.get(name)?.dims);
      const { data } = await readStoredTensor(stored);
      expect([...data]).toEqual([...data].map((_, i) => i / 8));
    }
    expect((copy.get('large')?.byteOffset ?? 1) % 64).toBe(0);
    expect(await readdir(cacheDir)).toHaveLength(1);
  });

  it('widens tensors larger than the piece that is read at a time, from several files', async () => {
    const elements = 5_000_001;
    const big = new Uint8Array(2 * elements);
    new Uint16Array(big.buffer).forEach((_, i, all) => (all[i] = 0x3f80 + (i % 7)));
    const header = {
      big: { dtype: 'BF16', shape: [elements], data_offsets: [0, big.length] },
    };
    await writeFile(join(dir, 'big.safetensors'), safetensorsBytes(header, big));
    const weights = new Map([...(await weightsOf(join(dir, 'big.safetensors'))), ...(await halfWeights())]);
    const copy = await copyOf(weights, cacheDir);
    for (const [name, stored] of copy) {
      const source = weights.get(name);
      if (source === undefined) expect.fail(`${name} is new`);
      const same = Buffer.compare(
        Buffer.from((await readStoredTensor(stored)).data.buffer),
        Buffer.from((await readStoredTensor(source)).data.buffer),
      );
      expect(same).toBe(0);
    }
  });

  it('copies float32 weights that lie off a 4-byte boundary', async () => {
    const file = join(dir, 'odd.safetensors');
    const json = JSON.stringify({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } });
    const oddLength = json.length + 1 - (json.length % 2);
    const data = new Uint8Array(Float32Array.of(1, 2).buffer);
    await writeFile(file, safetensorsBytes(json.padEnd(oddLength), data));
    const weights = await weightsOf(file);
    expect((weights.get('a')?.byteOffset ?? 0) % 4).not.toBe(0);
    const stored = (await copyOf(weights, cacheDir)).get('a');
    if (stored === undefined) expect.fail('a is missing');
    expect(stored.byteOffset % 4).toBe(0);
    expect([...(await readStoredTensor(stored)).data]).toEqual([1, 2]);
  });
});

describe('the kept file', () => {
  const keptFile = async () => join(cacheDir, (await readdir(cacheDir))[0] ?? 'none');

  it('is used again', async () => {
    const weights = await halfWeights();
    const first = await copyOf(weights, cacheDir);
    const { ino } = await stat(await keptFile());
    expect(await copyOf(weights, cacheDir)).toEqual(first);
    expect((await stat(await keptFile())).ino).toBe(ino);
  });

  it('is made again when it is damaged', async () => {
    const weights = await halfWeights();
    await copyOf(weights, cacheDir);
    const file = await keptFile();
    const whole = await readFile(file);
    await truncate(file, whole.length - 1);
    await copyOf(weights, cacheDir);
    expect(await readFile(file)).toEqual(whole);
    await writeFile(file, 'nonsense');
    await copyOf(weights, cacheDir);
    expect(await readFile(file)).toEqual(whole);
  });

  it('is another one after the source has changed', async () => {
    const weights = await halfWeights();
    await copyOf(weights, cacheDir);
    await utimes(join(dir, 'half.safetensors'), 1, 1);
    await copyOf(weights, cacheDir);
    expect(await readdir(cacheDir)).toHaveLength(2);
  });

  it('is one and whole when several make it at once', async () => {
    const weights = await halfWeights();
    const copies = await Promise.all([1, 2, 3, 4].map(() => copyOf(weights, cacheDir)));
    expect(await readdir(cacheDir)).toHaveLength(1);
    for (const copy of copies) expect(copy).toEqual(copies[0]);
  });
});

describe('weights of eight bits', () => {
  /** 0, 1, -1 and 448 in e4m3. */
  const patterns = [0x00, 0x38, 0xb8, 0x7e];
  const values = [0, 1, -1, 448];

  async function narrow(): Promise<StoredTensors> {
    const file = join(dir, 'narrow.safetensors');
    await writeFile(
      file,
      fileBytes('F8_E4M3', { narrow: [4] }, (i) => [patterns[i] ?? 0]),
    );
    return new Map([...(await weightsOf(file)), ...(await halfWeights())]);
  }

  it('become float32', async () => {
    const copy = await copyOf(await narrow(), cacheDir);
    const stored = copy.get('narrow');
    if (stored === undefined) expect.fail('the copy lacks a tensor');
    expect(stored.dtype).toBe('float32');
    expect([...(await readStoredTensor(stored)).data]).toEqual(values);
  });

  it('become float16 for a device of half precision, and all others stay as they are', async () => {
    const weights = await narrow();
    const copy = withoutFloat8(tensorsInFiles(weights), cacheDir);
    expect(new Set([...copy.tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(['float16']));
    for (const [name, stored] of await copy.stored()) {
      expect(stored.dtype).toBe('float16');
      const { data } = await readStoredTensor(stored);
      expect([...data]).toEqual(name === 'narrow' ? values : [...data].map((_, i) => i / 8));
    }
    const other = tensorsInFiles(await halfWeights());
    expect(withoutFloat8(other, cacheDir)).toBe(other);
  });
});

it('says how much of the disk a copy will take; nothing once it is there', async () => {
  const source = tensorsInFiles(await halfWeights());
  const needed = await missingCopyBytes(source, cacheDir);
  await float32Copy(source, cacheDir).stored();
  const [name = ''] = await readdir(cacheDir);
  expect((await stat(join(cacheDir, name))).size).toBe(needed);
  expect(await missingCopyBytes(source, cacheDir)).toBe(0);
});

describe('leaves nothing behind', () => {
  it('when canceled before or while it writes', async () => {
    const weights = await halfWeights();
    const canceled = copyOf(weights, cacheDir, AbortSignal.abort());
    await expect(canceled).rejects.toThrow(CanceledError);
    const controller = new AbortController();
    const running = copyOf(weights, cacheDir, controller.signal);
    controller.abort();
    await expect(running).rejects.toThrow(CanceledError);
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it('when the source ends early', async () => {
    const weights = await halfWeights();
    await truncate(join(dir, 'half.safetensors'), 100);
    await expect(copyOf(weights, cacheDir)).rejects.toMatchObject({ code: 'model-damaged' });
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it('when the cache folder cannot be made', async () => {
    await writeFile(join(dir, 'cache'), 'a file');
    await expect(copyOf(await halfWeights(), cacheDir)).rejects.toMatchObject({
      code: 'output-unwritable',
    });
  });

  it('and removes what a killed process left', async () => {
    const weights = await halfWeights();
    await copyOf(weights, cacheDir);
    const deadProcess = 2 ** 22 + 1; // above the largest process id of Linux
    const abandoned = `x.safetensors.${deadProcess}.0123456789ab.tmp`;
    const beingWritten = `x.safetensors.${process.pid}.0123456789ab.tmp`;
    await writeFile(join(cacheDir, abandoned), '');
    await writeFile(join(cacheDir, beingWritten), '');
    await utimes(join(dir, 'half.safetensors'), 1, 1);
    await copyOf(weights, cacheDir);
    const left = await readdir(cacheDir);
    expect(left).toHaveLength(3);
    expect(left).toContain(beingWritten);
  });
});
