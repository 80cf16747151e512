// Files of a model and of a LoRA that go, are cut or replaced, before an edit and while it uses them: the edit says which file
// it was, leaves no result, and the next edit runs.

import { mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../companion-server/src/engine/worker/supervisor.ts';
import { EditError } from '../../companion-server/src/errors.ts';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import { writeTensors } from '../../companion-server/src/weights/lora/testing/made-lora.ts';
import { makeRegularCheckpoint } from '../fixtures/regular-checkpoint.ts';
import { invertFolder, writeRaw, type RawTensors } from '../fixtures/single-file.ts';
import { programOf } from '../bundles.ts';
import { tinyJob } from '../tiny-edits.ts';

let dir: string;
let inputPath: string;
let tensors: RawTensors;
let engine: Engine;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'changed-files-'));
  inputPath = join(dir, 'cat.mkv');
  await makeClip(inputPath, [...testPicture('64x64', '10', 2), '-c:v', 'ffv1']);
  // In single precision it is mapped where it lies.
  tensors = await invertFolder(await makeRegularCheckpoint(join(dir, 'giver'), 'sd1', 'F32'), 'sd1');
  engine = createEngine({ entry: programOf('engines/real'), idleMs: 60_000 });
});
afterAll(async () => {
  await engine.close();
  await rm(dir, { recursive: true });
});

interface Trouble {
  /** Done to the model's file before the edit begins. */
  readonly before?: (file: string) => Promise<void>;
  /** Done to it when the first step is finished. */
  readonly during?: (file: string) => Promise<void>;
  readonly loras?: readonly { readonly name: string; readonly file: string; readonly strength: number }[];
}

let edits = 0;

/** The bytes of the result, or the error. */
async function edit(name: string, { before, during, loras = [] }: Trouble = {}): Promise<Buffer | EditError> {
  const modelDir = join(dir, `${name}.safetensors`);
  await writeRaw(modelDir, tensors);
  await before?.(modelDir);
  const job = { ...tinyJob({ dir, modelDir, inputPath }, `edit-${edits++}`, {}), loras };
  let disturbing: Promise<void> | undefined;
  const onResumePoint = (): void => void (disturbing ??= during?.(modelDir));
  try {
    await engine.edit(job, { onProgress: () => undefined, onResumePoint });
    return await readFile(job.outputPath);
  } catch (error) {
    if (error instanceof EditError) return error;
    throw error;
  } finally {
    await disturbing;
  }
}

const cut = (file: string): Promise<void> => truncate(file, 200_000);
const remove = (file: string): Promise<void> => rm(file);

/** By one with the same keys at the same bytes. */
async function replace(file: string): Promise<void> {
  const bytes = await readFile(file);
  await writeFile(`${file}.new`, bytes.fill(0, bytes.length - 64));
  await rename(`${file}.new`, file);
}

describe("a model's file", () => {
  test.each([
    ['cut', cut, 'model-damaged'],
    ['removed', remove, 'model-missing'],
  ])('that was %s before the edit is named', async (name, disturb, code) => {
    const named = { code, message: expect.stringContaining(`${name}.safetensors: `) as string };
    expect(await edit(name, { before: disturb })).toMatchObject(named);
  });

  test.each([
    ['cut', cut, 'model-damaged'],
    ['removed', remove, 'model-missing'],
    ['replaced', replace, 'model-damaged'],
  ])('that is %s while an edit uses it is named, and the next edit runs', async (name, disturb, code) => {
    const named = { code, message: expect.stringContaining(`${name}.safetensors: `) as string };
    expect(await edit(name, { during: disturb })).toMatchObject(named);
    expect(await edit('whole')).toBeInstanceOf(Buffer);
  });
});

describe('the file of a LoRA', () => {
  test.each([
    ['cut', (file: string) => truncate(file, 600), 'adapter-damaged'],
    ['removed', remove, 'adapter-missing'],
  ])('that was %s is named by the name of the LoRA, and the next edit runs', async (name, disturb, code) => {
    const module = 'lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q';
    const shapes = { [`${module}.lora_down.weight`]: [2, 32], [`${module}.lora_up.weight`]: [32, 2] };
    const file = await writeTensors(dir, `${name}-look.safetensors`, shapes);
    const loras = [{ name: 'film look', file, strength: 1 }];
    await disturb(file);
    const message = expect.stringContaining('The LoRA "film look" cannot be used: ') as string;
    expect(await edit('whole', { loras })).toMatchObject({ code, message });
    expect(await edit('whole')).toBeInstanceOf(Buffer);
  });
});
