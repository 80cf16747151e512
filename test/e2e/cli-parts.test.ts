// A checkpoint in one file from the command line to the engine and back: where its missing parts come from.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeClip, picturePackets, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import { makeRegularCheckpoint, regularSizes } from '../fixtures/regular-checkpoint.ts';
import { invertFolder, writeRaw } from '../fixtures/single-file.ts';
import { writeJson } from '../fixtures/tiny-checkpoint.ts';
import { runCliProcess } from './cli-process.ts';
import { createWorkspace } from './workspace.ts';

test('parts come from the folder that is named, a VAE also from --vae; a folder of another kind is refused by its name', async () => {
  const workspace = await createWorkspace();
  const { folder } = workspace;
  await makeClip(join(folder, 'cat.mkv'), [...testPicture('64x64', '10', 2), '-c:v', 'ffv1']);
  // Fewer levels: what takes time is to load networks.
  const size = { ...regularSizes.sd1, channels: regularSizes.sd1.channels.slice(0, 2) };
  const giver = await makeRegularCheckpoint(join(folder, 'giver'), 'sd1', 'F16', size);
  const tensors = await invertFolder(giver, 'sd1');
  await writeRaw(join(folder, 'film.safetensors'), new Map([...tensors].filter(([key]) => key.startsWith('model.'))));
  const withoutVae = new Map([...tensors].filter(([key]) => !key.startsWith('first_stage_model.')));
  await writeRaw(join(folder, 'blind.safetensors'), withoutVae);
  await writeJson(join(folder, 'flux'), 'model_index.json', { _class_name: 'FluxPipeline' });
  const edit = async (out: string, ...model: readonly string[]) => {
    const small = ['--steps', '1', '--inversion-steps', '1', '--guidance', '6', '--out', out];
    const args = ['edit', 'cat.mkv', '--device', 'cpu', '--prompt', 'a dog', ...small, '--model', ...model];
    const ended = await runCliProcess(workspace, args, { engine: 'sharing' });
    const file = join(folder, out);
    return { ...ended, pictures: existsSync(file) ? await picturePackets(file) : null };
  };
  const whole = await edit('whole.mov', 'giver');
  expect(whole).toMatchObject({ exitCode: 0, pictures: [expect.any(String), expect.any(String)] });
  for (const model of [
    ['film.safetensors', '--parts', 'giver'],
    ['blind.safetensors', '--vae', './giver'],
  ]) {
    const borrowed = await edit('borrowed.mov', ...model);
    expect(borrowed.exitCode, borrowed.stderr).toBe(0);
    expect(borrowed.pictures, model.join(' ')).toEqual(whole.pictures);
  }
  const blind = await edit('blind.mov', 'blind.safetensors');
  expect(blind).toMatchObject({ exitCode: 4, pictures: null });
  expect(blind.stderr).toContain('has no VAE, and no other checkpoint with a fitting one is known');
  expect(blind.stderr).toContain('--vae');
  const flux = await edit('flux.mov', 'flux');
  expect(flux).toMatchObject({ exitCode: 4, pictures: null });
  expect(flux.stderr).toContain('is Flux');
});
