import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeTensors, type Shapes } from './lora/testing/made-lora.ts';
import { readEmbedding, recogniseEmbedding } from './textual-inversion.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'textual-inversion-'));
});
afterEach(() => rm(dir, { recursive: true }));

const read = async (shapes: Shapes) =>
  readEmbedding({ word: 'mylook', file: await writeTensors(dir, 'mylook.safetensors', shapes) });

test.each([
  ['AUTOMATIC1111', { emb_params: [3, 8] }, ['mylook'], [[3, 8]]],
  ['diffusers', { '<my-look>': [8] }, ['mylook', '<my-look>'], [[1, 8]]],
  [
    'Stable Diffusion XL',
    { clip_l: [2, 8], clip_g: [2, 12] },
    ['mylook'],
    [
      [2, 8],
      [2, 12],
    ],
  ],
] as const)('an embedding of %s is read', async (_writer, shapes, words, dims) => {
  const found = await read(shapes);
  expect(found.words).toEqual(words);
  expect(found.vectors.map((vectors) => vectors.dims)).toEqual(dims);
});

test.each([
  ['a LoRA', { 'lora_unet_a.lora_down.weight': [2, 2, 1, 1], 'lora_unet_a.lora_up.weight': [2, 2] }],
  ['more vectors than a prompt has tokens', { emb_params: [76, 8] }],
  ['more tensors than there are text encoders', { a: [1], b: [1], c: [1], d: [1] }],
])('a file with %s is no embedding', async (_what, shapes) => {
  await expect(read(shapes)).rejects.toMatchObject({
    code: 'adapter-unsupported',
    message: expect.stringContaining('The embedding "mylook" is no textual inversion') as string,
  });
});

test('a pickle is refused without a look into it', async () => {
  await writeFile(join(dir, 'old.pt'), 'x');
  await expect(readEmbedding({ word: 'old', file: join(dir, 'old.pt') })).rejects.toMatchObject({
    code: 'adapter-unsupported',
    message: expect.stringContaining('is a pickle') as string,
  });
});

test('a file that is not there is missed by its word', async () => {
  await expect(readEmbedding({ word: 'gone', file: join(dir, 'gone.safetensors') })).rejects.toMatchObject({
    code: 'adapter-missing',
    message: expect.stringContaining('The embedding "gone"') as string,
  });
});

test.each([
  [{ emb_params: [3, 768] }, { family: 'Stable Diffusion 1.x', vectors: 3 }],
  [{ '<my-look>': [1024] }, { family: 'Stable Diffusion 2.x', vectors: 1 }],
  [
    { clip_l: [2, 768], clip_g: [2, 1280] },
    { family: 'Stable Diffusion XL', vectors: 2 },
  ],
  [{ emb_params: [3, 8] }, { family: null, vectors: 3 }],
  [{ 'unet.conv_in.weight': [320, 4, 3, 3] }, null],
  [{}, null],
])('a file with %j is recognised by its header', (shapes, found) => {
  const tensors = new Map(Object.entries(shapes as Shapes).map(([key, dims]) => [key, { dims }]));
  expect(recogniseEmbedding(tensors)).toEqual(found);
});
