// Where a diffusers folder is expected: files in the naming of the original code are something else, and are refused by name.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EditError } from '../errors.ts';
import { translateReadError } from './read-range.ts';
import type { SafetensorsFile } from './safetensors.ts';
import { unsupported } from './unsupported.ts';

const ldmName = /^(model\.diffusion_model|first_stage_model|cond_stage_model|conditioner)\./;

/** Refuses a file whose tensors have LDM names with EditError('model-unsupported'). */
export function refuseSingleFileNaming(file: SafetensorsFile): void {
  const name = [...file.entries.keys()].find((key) => ldmName.test(key));
  if (name === undefined) return;
  throw unsupported(
    file.path,
    `is a whole checkpoint in one file ("${name}"), where a part of a checkpoint is expected`,
  );
}

/**
 * Makes sure that the folder `path` has a model_index.json. Throws EditError: 'model-missing' with the expected path, or
 * with the checkpoint files that are in it instead.
 */
export async function requireCheckpointFolder(path: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(path);
  } catch (error) {
    throw translateReadError(path, error);
  }
  if (names.includes('model_index.json')) return;
  const files = names.filter((name) => /\.(safetensors|sft|ckpt)$/i.test(name)).sort();
  const [first] = files;
  const others = files.length > 1 ? ` and ${files.length - 1} more` : '';
  throw new EditError('model-missing', `${join(path, 'model_index.json')}: there is no such file.`, {
    hint:
      first === undefined
        ? 'Name the folder of a whole checkpoint in the diffusers format: the one with model_index.json in it.'
        : `A checkpoint in one file is named itself, not by its folder: there is ${first}${others}.`,
  });
}
