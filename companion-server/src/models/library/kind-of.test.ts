import { mkdtemp, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeRegularCheckpoint } from '../../../../test/fixtures/regular-checkpoint.ts';
import { invertFolder, writeRaw, type RawTensors } from '../../../../test/fixtures/single-file.ts';
import { kindOf } from './kind-of.ts';

let dir: string;
let tensors: RawTensors;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-kind-'));
  tensors = await invertFolder(await makeRegularCheckpoint(path.join(dir, 'folder'), 'sd2'), 'sd2');
});
afterAll(() => rm(dir, { recursive: true }));

async function kindOfFile(name: string, content: RawTensors) {
  const file = path.join(dir, name);
  await writeRaw(file, content);
  const { size, mtimeMs } = await stat(file);
  const found = { path: file, realPath: file, sizeBytes: size, changedMs: mtimeMs };
  return kindOf({ ...found, isFolder: false, role: 'checkpoints' });
}

test('a whole checkpoint in one file can be used, and says its version', async () => {
  expect(await kindOfFile('whole.safetensors', tensors)).toEqual({
    kind: 'checkpoint',
    family: 'Stable Diffusion 2.x',
    problem: null,
  });
});

test('one of Stable Diffusion XL can be used as well', async () => {
  const folder = await makeRegularCheckpoint(path.join(dir, 'xl'), 'sdxl');
  expect(await kindOfFile('xl.safetensors', await invertFolder(folder, 'sdxl'))).toMatchObject({
    kind: 'checkpoint',
    family: 'Stable Diffusion XL',
    problem: null,
  });
});

test('a checkpoint in one file without its VAE says what is missing', async () => {
  const content = new Map([...tensors].filter(([key]) => !key.startsWith('first_stage_model.')));
  const { kind, family, problem } = await kindOfFile('without-vae.safetensors', content);
  expect([kind, family]).toEqual(['checkpoint', 'Stable Diffusion 2.x']);
  expect(problem).toContain('It has no VAE. Add it with npm run models -- add FILE --parts FOLDER');
});
