import { mkdtemp, open, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeTinyCheckpoint } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { preferredExecution } from '../../onnx/execution.ts';
import { openSafetensors, readTensor } from '../../weights/safetensors.ts';
import { writeSafetensors } from '../../weights/safetensors-write.ts';
import { openModel, type Model } from './model.ts';

const size = { height: 8, width: 8 };
const changed = {
  code: 'model-damaged',
  message: expect.stringMatching(/vae.diffusion_pytorch_model\.safetensors: was changed or replaced/) as string,
};

let dir: string;
/** In single precision, so that it is mapped where it lies. */
let vae: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mapped-files-'));
  vae = path.join(await makeTinyCheckpoint(path.join(dir, 'tiny')), 'vae', 'diffusion_pytorch_model.safetensors');
  const opened = await openSafetensors(vae);
  const single = await Promise.all(
    [...opened.entries.keys()].map(async (key) => [key, await readTensor(opened, key)] as const),
  );
  await writeSafetensors(vae, new Map(single));
});
afterEach(() => rm(dir, { recursive: true }));

const openTiny = (): Promise<Model> =>
  openModel({ dir: path.join(dir, 'tiny'), execution: preferredExecution.cpu, cacheDir: path.join(dir, 'cache') });

/** The same keys at the same bytes, with other values in the last of them. */
async function replace(file: string): Promise<void> {
  const bytes = await readFile(file);
  await writeFile(`${file}.new`, bytes.fill(0, bytes.length - 64));
  await rename(`${file}.new`, file);
}

test('a file that was replaced before a network of it is loaded is named', async () => {
  const model = await openTiny();
  await replace(vae);
  await expect(model.openEncoder(size)).rejects.toMatchObject(changed);
});

test('a file that was replaced between two networks of it is named', async () => {
  const model = await openTiny();
  const encoder = await model.openEncoder(size);
  await expect(model.requireUnchanged()).resolves.toBeUndefined();
  await replace(vae);
  await expect(model.openDecoder(size)).rejects.toMatchObject(changed);
  await encoder.release();
});

test('a file that was overwritten under a network is named when the result is asked about', async () => {
  const model = await openTiny();
  const decoder = await model.openDecoder(size);
  const handle = await open(vae, 'r+');
  await handle.write(Buffer.alloc(4), 0, 4, (await handle.stat()).size - 4);
  await handle.close();
  // A file system may keep times only to a second.
  await utimes(vae, new Date(), new Date(Date.now() + 5_000));
  await expect(model.requireUnchanged()).rejects.toMatchObject(changed);
  await decoder.release();
});

test('a file that has gone from under its networks, and one that no network was loaded from, change nothing', async () => {
  const model = await openTiny();
  const decoder = await model.openDecoder(size);
  await rm(vae);
  await replace(path.join(dir, 'tiny', 'text_encoder', 'model.safetensors'));
  await expect(model.requireUnchanged()).resolves.toBeUndefined();
  await decoder.release();
});
