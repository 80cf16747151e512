// Checkpoints in one file, as the original Stable Diffusion code wrote them ("LDM naming"). They are recognised, so
// that their refusal says what they are.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EditError } from '../errors.ts';
import { translateReadError } from './read-range.ts';
import { openSafetensors, type SafetensorsFile } from './safetensors.ts';
import { unsupported } from './unsupported.ts';

const ldmName = /^(model\.diffusion_model|first_stage_model|cond_stage_model|conditioner)\./;

/** Refuses a file whose tensors have LDM names with EditError('model-unsupported'). */
export function refuseSingleFileNaming(file: SafetensorsFile): void {
  const name = [...file.entries.keys()].find((key) => ldmName.test(key));
  if (name === undefined) return;
  throw unsupported(
    file.path,
    `is a single-file checkpoint in LDM naming ("${name}"), not a folder in the diffusers format`,
  );
}

/**
 * Makes sure that `path` is a folder with a model_index.json. Throws EditError: 'model-missing' with the expected
 * path, 'model-unsupported' for single-file checkpoints and other files, 'model-damaged' for a broken one.
 */
export async function requireCheckpointFolder(path: string): Promise<void> {
  let isFolder: boolean;
  let names: string[];
  try {
    isFolder = (await stat(path)).isDirectory();
    names = isFolder ? await readdir(path) : [];
  } catch (error) {
    throw translateReadError(path, error);
  }
  if (!isFolder) await refuseFile(path);
  if (names.includes('model_index.json')) return;
  const single = names.find((name) => /\.(safetensors|ckpt)$/.test(name));
  if (single !== undefined) await refuseFile(join(path, single));
  const expected = join(path, 'model_index.json');
  throw new EditError('model-missing', `${expected}: there is no such file.`, {
    hint: 'Name the folder of a whole checkpoint in the diffusers format: the one with model_index.json in it.',
  });
}

async function refuseFile(path: string): Promise<never> {
  if (path.endsWith('.safetensors')) refuseSingleFileNaming(await openSafetensors(path));
  const kind = /\.(bin|ckpt|pt|pth)$/.test(path)
    ? 'is a pickle, which may run code when it is read'
    : 'is a file; a checkpoint is a folder in the diffusers format';
  throw unsupported(path, kind);
}
