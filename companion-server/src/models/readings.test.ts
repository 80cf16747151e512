// What is said of a model when it is added holds wherever it is named, and parts come from what is installed.

import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeRegularCheckpoint } from '../../../test/fixtures/regular-checkpoint.ts';
import { invertFolder, writeRaw } from '../../../test/fixtures/single-file.ts';
import { openCheckpoint } from '../families/open-checkpoint.ts';
import { addModel, removeModel } from './change-models.ts';
import { chooseModels } from './choose-models.ts';
import { embeddedModelDir, findInstalledModels } from './installed-models.ts';
import { createLibrary } from './library/library.ts';
import { readingOfInstalled } from './library/parts.ts';
import { plainReading, readReadings } from './readings.ts';
import { errorFrom, rejectionOf } from './testing/error-from.ts';
import { verifyModel } from './verify.ts';

let root: string;
let folder: string;
let whole: string;
/** Without VAE and text encoder. */
let lacking: string;
let modelsDir: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tokenflow-readings-'));
  folder = await makeRegularCheckpoint(join(root, 'giver'), 'sd1');
  const tensors = await invertFolder(folder, 'sd1');
  whole = join(root, 'whole.safetensors');
  lacking = join(root, 'film.safetensors');
  await writeRaw(whole, tensors);
  await writeRaw(lacking, new Map([...tensors].filter(([key]) => key.startsWith('model.'))));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => {
  modelsDir = await mkdtemp(join(root, 'models-'));
});

const library = () => createLibrary({ first: new Map(), modelsDir, machine: null, cacheDir: null });

test('a checkpoint in one file is a model once it was added', async () => {
  expect(await addModel(modelsDir, whole)).toBe('whole');
  expect(findInstalledModels(modelsDir).get('whole')).toBe(whole);
  expect(await library().readingOf('whole')).toEqual({ prediction: null, partsFrom: { named: null, others: [] } });
});

describe('a file without VAE and text encoder', () => {
  test('is refused with the option that helps, also when only the embedded model is there', async () => {
    const error = await rejectionOf(addModel(modelsDir, lacking));
    expect(error).toMatchObject({ code: 'model-missing', hint: expect.stringContaining('--parts') as unknown });
    expect(error.message).toContain('has no VAE or text encoder');
    expect(findInstalledModels(modelsDir).has('film')).toBe(false);
  });

  test('takes the parts of the folder that was named with it, until it is removed', async () => {
    await addModel(modelsDir, lacking, 'mine', { parts: folder, prediction: 'v_prediction' });
    expect(await library().readingOf('mine')).toEqual({
      prediction: 'v_prediction',
      partsFrom: { named: folder, others: [] },
    });
    await addModel(modelsDir, lacking, 'mine', { parts: folder, prediction: null });
    expect(readReadings(modelsDir).get('mine')).toEqual({ parts: folder, prediction: null });
    await removeModel(modelsDir, 'mine');
    expect(readReadings(modelsDir).size).toBe(0);
  });

  test('takes those of the first installed folder that fits, and its kind says so', async () => {
    const lists = async () => {
      // It looks into files on a machine only; there is nothing else on this one.
      const machine = { env: {}, platform: process.platform, home: join(root, 'home') };
      const made = createLibrary({ first: new Map(), modelsDir, machine, cacheDir: null });
      await made.refresh();
      return made.lists().models.find(({ id }) => id === 'film');
    };
    await addModel(modelsDir, lacking, 'film', { parts: folder, prediction: null });
    await writeFile(join(modelsDir, 'readings.json'), '{}');
    expect((await lists())?.problem).toContain(
      'It has no VAE and no text encoder: add it with models add FILE --parts',
    );
    await addModel(modelsDir, folder);
    expect((await lists())?.problem).toBeNull();
    const others = [{ name: 'giver', path: folder }];
    expect(await library().readingOf('film')).toEqual({ prediction: null, partsFrom: { named: null, others } });
  });

  test('can be named by its path, with its parts', async () => {
    const places = { modelsDir, machine: null, cacheDir: null };
    expect(await rejectionOf(chooseModels(places, lacking))).toMatchObject({ code: 'model-missing' });
    const chosen = await chooseModels(places, lacking, { parts: folder, prediction: null });
    expect([...chosen][0]).toEqual(['film', lacking]);
  });
});

test('a checkpoint in one file is verified as it is read', async () => {
  expect(await verifyModel(whole)).toEqual({ checkedFiles: 0, faults: [] });
  await addModel(modelsDir, lacking, 'mine', { parts: folder, prediction: null });
  const reading = () => readingOfInstalled(modelsDir, 'mine', lacking);
  expect(await verifyModel(lacking, { reading })).toEqual({ checkedFiles: 0, faults: [] });
  await writeFile(join(modelsDir, 'readings.json'), '{}');
  const { faults } = await verifyModel(lacking, { reading });
  expect(faults).toEqual([expect.stringContaining('has no VAE or text encoder')]);
});

describe('a file without a VAE', () => {
  /** As `models pull` leaves it. */
  async function pullVae(name: string, changes: object): Promise<void> {
    const at = join(modelsDir, 'vaes', name);
    await cp(join(folder, 'vae'), at, { recursive: true });
    const config = JSON.parse(await readFile(join(at, 'config.json'), 'utf8')) as object;
    await writeFile(join(at, 'config.json'), JSON.stringify({ ...config, ...changes }));
    await writeFile(join(at, 'pulled.json'), '{}');
  }

  test('takes a VAE that was downloaded, but none whose latents have another scale', async () => {
    const blind = join(root, 'blind.safetensors');
    const tensors = [...(await invertFolder(folder, 'sd1'))];
    await writeRaw(blind, new Map(tensors.filter(([key]) => !key.startsWith('first_stage_model.'))));
    await pullVae('of-xl', { scaling_factor: 0.13025 });
    expect(await rejectionOf(addModel(modelsDir, blind))).toMatchObject({
      code: 'model-missing',
      message: expect.stringContaining('has no VAE, and no other checkpoint') as string,
    });
    await pullVae('sharp', {});
    await addModel(modelsDir, blind);
    const others = [{ name: 'sharp', path: join(modelsDir, 'vaes', 'sharp') }];
    const reading = await library().readingOf('blind');
    expect(reading).toEqual({ prediction: null, partsFrom: { named: null, others } });
    const { parts, notices } = await openCheckpoint(blind, reading);
    expect(parts.get('vae')?.dir).toBe(join(modelsDir, 'vaes', 'sharp'));
    expect(notices).toEqual(["The model's file has no VAE; that of sharp was used. --parts names another."]);
  });

  test('takes the folder of a VAE that was named as its parts', async () => {
    const blind = join(root, 'named.safetensors');
    const tensors = [...(await invertFolder(folder, 'sd1'))];
    await writeRaw(blind, new Map(tensors.filter(([key]) => !key.startsWith('first_stage_model.'))));
    await addModel(modelsDir, blind, 'mine', { parts: join(folder, 'vae'), prediction: null });
    const { parts } = await openCheckpoint(blind, await library().readingOf('mine'));
    expect(parts.get('vae')?.dir).toBe(join(folder, 'vae'));
  });
});

test('parts are not for a folder, nor from a folder that is no checkpoint', async () => {
  const reading = { ...plainReading, parts: folder };
  expect(await rejectionOf(addModel(modelsDir, folder, 'f', reading))).toMatchObject({ code: 'invalid-request' });
  const places = { modelsDir, machine: null, cacheDir: null };
  expect(await rejectionOf(chooseModels(places, folder, reading))).toMatchObject({ code: 'invalid-request' });
  const empty = join(root, 'empty');
  await mkdir(empty, { recursive: true });
  const named = await rejectionOf(addModel(modelsDir, lacking, 'x', { ...plainReading, parts: empty }));
  expect(named.message).toContain(empty);
  const demo = await rejectionOf(addModel(modelsDir, lacking, 'x', { ...plainReading, parts: embeddedModelDir }));
  expect(demo.message).toContain('has no text encoder');
});

test.each(['{', '[]x', '{"x":{"parts":"relative","prediction":null}}', '{"x":{"parts":null,"prediction":"w"}}'])(
  'what was said cannot be read when the file is %j',
  async (content) => {
    await writeFile(join(modelsDir, 'readings.json'), content);
    expect(errorFrom(() => readReadings(modelsDir))).toMatchObject({ code: 'model-damaged' });
  },
);
