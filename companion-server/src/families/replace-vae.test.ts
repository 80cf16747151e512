// A VAE in place of the checkpoint's own, from each form in which people have one, and what is refused.

import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenDir } from '../../../test/fixture-networks.ts';
import { makeRegularCheckpoint } from '../../../test/fixtures/regular-checkpoint.ts';
import { invertFolder, readRaw, writeRaw, type RawTensors } from '../../../test/fixtures/single-file.ts';
import { makeTinyCheckpoint, writeJson } from '../../../test/fixtures/tiny-checkpoint.ts';
import { openSafetensors, storedTensors } from '../weights/safetensors.ts';
import { openCheckpoint } from './open-checkpoint.ts';
import { replaceVae } from './replace-vae.ts';

const weightsName = 'diffusion_pytorch_model.safetensors';

let dir: string;
let tiny: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-vae-'));
  tiny = await makeTinyCheckpoint(path.join(dir, 'tiny'));
});
afterAll(() => rm(dir, { recursive: true }));

const replaced = async (model: string, file: string) =>
  (await replaceVae(await openCheckpoint(model), { name: 'better', file })).parts.get('vae');

/** A folder of the tiny checkpoint's VAE, with another config and other weights. */
async function vaeFolder(
  name: string,
  change: object = {},
  edit: (tensors: Map<string, { dtype: string; shape: readonly number[]; bytes: Buffer }>) => void = () => undefined,
): Promise<string> {
  const folder = path.join(dir, name);
  await mkdir(folder);
  const config = JSON.parse(await readFile(path.join(tiny, 'vae', 'config.json'), 'utf8')) as object;
  await writeJson(folder, 'config.json', { ...config, ...change });
  const tensors = new Map(await readRaw(path.join(tiny, 'vae', weightsName)));
  edit(tensors);
  await writeRaw(path.join(folder, weightsName), tensors);
  return folder;
}

describe('a VAE in place of the own one', () => {
  it('is none where none is named', async () => {
    const checkpoint = await openCheckpoint(tiny);
    expect(await replaceVae(checkpoint, null)).toBe(checkpoint);
  });

  it.each([
    ['its folder', (folder: string) => folder],
    ['its file, with its config beside', (folder: string) => path.join(folder, weightsName)],
  ])('is taken from %s', async (name, pathOf) => {
    const folder = await vaeFolder(`own-${name.length}`, { force_upcast: false });
    const vae = await replaced(tiny, pathOf(folder));
    expect(vae?.config['force_upcast']).toBe(false);
    const files = [...((await vae?.weights.stored()) ?? new Map()).values()].map(({ file }: { file: string }) => file);
    expect(new Set(files)).toEqual(new Set([path.join(folder, weightsName)]));
  });

  it('is taken from a whole checkpoint', async () => {
    const other = await makeTinyCheckpoint(path.join(dir, 'other'));
    expect((await replaced(tiny, other))?.dir).toBe(path.join(other, 'vae'));
  });

  it.each(['first_stage_model.', ''])(
    "is taken from a file in the original code's names, which begin with '%s'",
    async (prefix) => {
      const model = await makeRegularCheckpoint(path.join(dir, `regular-${prefix.length}`), 'sd1');
      const all = await invertFolder(model, 'sd1');
      const own: RawTensors = new Map(
        [...all].flatMap(([key, tensor]) =>
          key.startsWith('first_stage_model.') ? [[prefix + key.replace('first_stage_model.', ''), tensor]] : [],
        ),
      );
      const folder = path.join(dir, `ldm-${prefix.length}`);
      await mkdir(folder);
      const file = path.join(folder, 'vae-ft.safetensors');
      await writeRaw(file, own);
      const vae = await replaced(model, file);
      const wanted = storedTensors(await openSafetensors(path.join(model, 'vae', weightsName)));
      expect(new Set(vae?.weights.tensors.keys())).toEqual(new Set(wanted.keys()));
      expect(vae?.config).toMatchObject({ scaling_factor: 0.18215, latent_channels: 4, force_upcast: true });
    },
  );

  it('may be exact in half precision where the own one of Stable Diffusion XL is not', async () => {
    const xl = path.join(goldenDir, 'sdxl');
    const folder = path.join(dir, 'fp16-fix');
    await cp(path.join(xl, 'vae'), folder, { recursive: true });
    const config = JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8')) as object;
    await writeJson(folder, 'config.json', { ...config, force_upcast: false });
    const checkpoint = await openCheckpoint(xl);
    const precisionOf = (one: typeof checkpoint) => one.family.outline(one).vae.precision;
    expect(precisionOf(checkpoint)).toBe('single');
    expect(precisionOf(await replaceVae(checkpoint, { name: 'fix', file: folder }))).toBe('device');
  });
});

describe('a VAE that cannot be used', () => {
  const refused = (code: string, message: string) => ({
    code,
    message: expect.stringContaining(`The VAE "better" cannot be used: ${message}`) as string,
  });

  it.each<[string, object, string]>([
    ['16 channels', { latent_channels: 16 }, ''],
    [
      'another scale',
      { scaling_factor: 0.13025 },
      'its latents have 0.13025 as scaling factor, those of the model 0.18215',
    ],
  ])('because its latents have %s is refused', async (name, change, message) => {
    const folder = await vaeFolder(name.replace(' ', '-'), change);
    await expect(replaced(tiny, folder)).rejects.toMatchObject(refused('adapter-unsupported', message));
  });

  it('because a weight is missing is damaged', async () => {
    const folder = await vaeFolder('missing', {}, (tensors) => tensors.delete('decoder.conv_in.bias'));
    const message = 'VAE decoder: the checkpoint has no weight named decoder.conv_in.bias';
    await expect(replaced(tiny, folder)).rejects.toMatchObject(refused('adapter-damaged', message));
  });

  it('because it is something else is refused', async () => {
    const decoder = path.join(goldenDir, 'tiny-decoder', 'taesd_decoder.safetensors');
    await expect(replaced(tiny, decoder)).rejects.toMatchObject(
      refused('adapter-unsupported', 'the file has no VAE with an encoder and a decoder'),
    );
    await expect(replaced(tiny, path.join(dir, 'gone.safetensors'))).rejects.toMatchObject({ code: 'adapter-missing' });
  });
});
