import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeTensors } from '../../weights/lora/testing/made-lora.ts';
import { identifyAdapters } from './adapters.ts';

let dir: string;
let files: readonly [string, string];
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'adapters-'));
  files = [
    await writeTensors(dir, 'one.safetensors', { a: [3] }, { seed: 1 }),
    await writeTensors(dir, 'two.safetensors', { a: [3] }, { seed: 2 }),
  ];
});
afterEach(() => rm(dir, { recursive: true }));

test('what is added to a model is the same wherever its files lie and whatever they are called', async () => {
  const [file] = files;
  const other = path.join(dir, 'elsewhere', 'copy.safetensors');
  await mkdir(path.dirname(other));
  await copyFile(file, other);
  const identity = await identifyAdapters({ loras: [{ name: 'one', file, strength: 0.5 }] });
  expect(identity).toMatch(/^[0-9a-f]{64}$/);
  expect(await identifyAdapters({ loras: [{ name: 'copy', file: other, strength: 0.5 }] })).toBe(identity);
});

test('another file, strength, order or word is another model', async () => {
  const [one, two] = files;
  const lora = (file: string, strength: number) => ({ name: 'look', file, strength });
  const all = await Promise.all(
    [
      { loras: [lora(one, 0.5)] },
      { loras: [lora(one, 0.6)] },
      { loras: [lora(two, 0.5)] },
      { loras: [lora(one, 0.5), lora(two, 0.5)] },
      { loras: [lora(two, 0.5), lora(one, 0.5)] },
      { embeddings: [{ word: 'look', file: one }] },
      { embeddings: [{ word: 'other', file: one }] },
    ].map(identifyAdapters),
  );
  expect(new Set(all).size).toBe(all.length);
});

test('a LoRA without strength is none', async () => {
  expect(await identifyAdapters({})).toBeNull();
  expect(await identifyAdapters({ loras: [{ name: 'look', file: files[0], strength: 0 }] })).toBeNull();
});

test('a file that has gone is missed by name', async () => {
  const loras = [{ name: 'look', file: path.join(dir, 'gone.safetensors'), strength: 1 }];
  await expect(identifyAdapters({ loras })).rejects.toMatchObject({
    code: 'adapter-missing',
    message: expect.stringContaining('The LoRA "look"') as string,
  });
});
