// Sources wrap each other: one that changes weights, as a merge does, stands in for the one that it reads.

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { float32Copy } from './float32-copy.ts';
import { openSafetensors, readStoredTensor, storedTensors } from './safetensors.ts';
import { byteLengthOf, tensorsInFiles, type TensorSource } from './tensor-source.ts';
import { halfFileBytes } from './testing/made-files.ts';

let dir: string;
let source: TensorSource;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tensor-source-'));
  const file = join(dir, 'half.safetensors');
  await writeFile(file, halfFileBytes({ changed: [2, 3], kept: [4] }));
  source = tensorsInFiles(storedTensors(await openSafetensors(file)));
});
afterEach(() => rm(dir, { recursive: true }));

/** The same tensors with the sign of `name` turned. It has no files of its own. */
function negated(inner: TensorSource, name: string): TensorSource {
  return {
    tensors: inner.tensors,
    fingerprint: async () => `${await inner.fingerprint()}-${name}`,
    stored: () => Promise.reject(new Error('not written')),
    async open() {
      const reader = await inner.open();
      return {
        close: () => reader.close(),
        async read(key, start, length, target) {
          await reader.read(key, start, length, target);
          if (key === name) for (let i = 1; i < length; i += 2) target[i] = (target[i] ?? 0) ^ 0x80;
        },
      };
    },
  };
}

async function valuesOf(from: TensorSource, name: string): Promise<readonly number[]> {
  const stored = (await from.stored()).get(name);
  if (stored === undefined) expect.fail(`${name} is missing`);
  return [...(await readStoredTensor(stored)).data];
}

describe('tensors in files', () => {
  it('are read in parts, as they are stored', async () => {
    const reader = await source.open();
    const [whole, part] = [new Uint8Array(8), new Uint8Array(4)];
    await reader.read('kept', 0, 8, whole);
    await reader.read('kept', 2, 4, part);
    await reader.close();
    expect(part).toEqual(whole.subarray(2, 6));
    expect([...source.tensors].map(([name, info]) => [name, byteLengthOf(info)])).toEqual([
      ['changed', 12],
      ['kept', 8],
    ]);
  });

  it('that have gone are named when they are read', async () => {
    await rm(join(dir, 'half.safetensors'));
    const reader = await source.open();
    await expect(reader.read('kept', 0, 8, new Uint8Array(8))).rejects.toMatchObject({ code: 'model-missing' });
    await reader.close();
  });
});

describe('a source that changes the weights of another', () => {
  it('is copied in float32 with its own values, without files of its own', async () => {
    const copy = float32Copy(negated(source, 'changed'), join(dir, 'cache'));
    expect(await valuesOf(copy, 'changed')).toEqual([0, 1, 2, 3, 4, 5].map((i) => -i / 8));
    expect(await valuesOf(copy, 'kept')).toEqual([0, 1, 2, 3].map((i) => i / 8));
  });

  it('has a copy of its own beside that of the weights as they are', async () => {
    const cacheDir = join(dir, 'cache');
    const plain = float32Copy(source, cacheDir);
    const changed = float32Copy(negated(source, 'changed'), cacheDir);
    expect(await valuesOf(plain, 'changed')).not.toEqual(await valuesOf(changed, 'changed'));
    expect(await readdir(cacheDir)).toHaveLength(2);
    expect(await changed.fingerprint()).not.toBe(await plain.fingerprint());
  });

  it('says what it has in float32 before anything is written', async () => {
    const copy = float32Copy(negated(source, 'changed'), join(dir, 'cache'));
    expect([...copy.tensors]).toEqual([
      ['changed', { dtype: 'float32', dims: [2, 3] }],
      ['kept', { dtype: 'float32', dims: [4] }],
    ]);
    expect(await readdir(dir)).toEqual(['half.safetensors']);
  });
});
