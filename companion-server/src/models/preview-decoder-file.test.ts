import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { modelFamilies } from '../weights/lora/recognise-lora.ts';
import { pulledRecordName } from './manifest.ts';
import { modelDir } from './models-folder.ts';
import { previewDecoderFile } from './preview-decoder-file.ts';

let modelsDir: string;
beforeEach(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), 'decoders-'));
});
afterEach(() => rm(modelsDir, { recursive: true }));

async function pulled(...names: readonly string[]): Promise<string> {
  const dir = modelDir(modelsDir, 'taesd', 'decoder');
  await mkdir(dir, { recursive: true });
  for (const name of names) await writeFile(join(dir, name), '{}');
  return dir;
}

const decoderFor = (family: string | null, path = modelsDir): string | null =>
  previewDecoderFile(modelsDir, { family, path });

it('the decoder of TAESD serves Stable Diffusion 1.x and 2.x, whose latents are the same', async () => {
  const dir = await pulled(pulledRecordName, 'taesd_encoder.safetensors', 'taesd_decoder.safetensors');
  const file = join(dir, 'taesd_decoder.safetensors');
  expect(decoderFor(modelFamilies.sd1)).toBe(file);
  expect(decoderFor(modelFamilies.sd2)).toBe(file);
  expect(decoderFor(modelFamilies.sdxl)).toBeNull();
  expect(decoderFor(null)).toBeNull();
});

it('there is none before it is downloaded whole', async () => {
  expect(decoderFor(modelFamilies.sd1)).toBeNull();
  await pulled('taesd_decoder.safetensors');
  expect(decoderFor(modelFamilies.sd1)).toBeNull();
  await pulled(pulledRecordName);
  expect(decoderFor(modelFamilies.sd1)).not.toBeNull();
});

it('a decoder beside the checkpoint comes first, for each family by its own name', async () => {
  await pulled(pulledRecordName, 'taesd_decoder.safetensors');
  const folder = join(modelsDir, 'mine');
  await mkdir(folder);
  for (const name of ['taesd_decoder.safetensors', 'taesdxl_decoder.safetensors', 'model.safetensors']) {
    await writeFile(join(folder, name), '{}');
  }
  expect(decoderFor(modelFamilies.sd1, folder)).toBe(join(folder, 'taesd_decoder.safetensors'));
  expect(decoderFor(modelFamilies.sdxl, join(folder, 'model.safetensors'))).toBe(
    join(folder, 'taesdxl_decoder.safetensors'),
  );
  expect(previewDecoderFile(null, { family: modelFamilies.sdxl, path: join(modelsDir, 'gone') })).toBeNull();
});
