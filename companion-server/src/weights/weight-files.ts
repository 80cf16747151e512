// Finds the files that hold a component's weights: one safetensors file or several with an index, in the plain or
// in a variant form (".fp16."), and says what is wrong when there are only files that are not read here.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EditError } from '../errors.ts';
import { isMissing } from '../files/disk-error.ts';
import { translateReadError } from './read-range.ts';
import { pickled } from './unsupported.ts';

/** Where a component's weights are. `index` lists the shards and is beside them. */
export type WeightFiles =
  { readonly kind: 'single'; readonly file: string } | { readonly kind: 'sharded'; readonly index: string };

/** Forms that are taken where there is no plain one: all are of the same network. */
const otherForms = ['fp16', 'bf16', 'non_ema', 'ema', 'fp16.non_ema'];

const pickleFile = /\.(bin|ckpt|pt|pth)$/;

/**
 * Chooses the weights in a component's folder.
 * @param stem file name before the dots: `diffusion_pytorch_model` or `model`
 * @param variant preferred form, such as `fp16`; the plain form otherwise, and another where it is the only one
 * Throws EditError: 'model-missing' with the expected path, 'model-unsupported' when there are pickles only.
 */
export async function findWeightFiles(dir: string, stem: string, variant?: string): Promise<WeightFiles> {
  const present = await listFolder(dir, stem);
  for (const form of new Set([variant, undefined, ...otherForms])) {
    const found = filesOfForm(dir, stem, form).find(([name]) => present.has(name));
    if (found !== undefined) return found[1];
  }
  const expected = join(dir, `${stem}.safetensors`);
  const pickle = [...present].find((name) => pickleFile.test(name));
  if (pickle !== undefined) {
    throw pickled(dir, `has only ${pickle}, a pickle, which may run code when it is read; ${expected} is needed`);
  }
  throw missing(expected);
}

/** The possible file names of the weights in one format, most usual first. */
function filesOfForm(
  dir: string,
  stem: string,
  variant: string | undefined,
): readonly (readonly [string, WeightFiles])[] {
  const dotted = variant === undefined ? '' : `.${variant}`;
  const single = `${stem}${dotted}.safetensors`;
  // diffusers has written both "model.safetensors.index.fp16.json" and "model.fp16.safetensors.index.json".
  const indices = new Set([`${single}.index.json`, `${stem}.safetensors.index${dotted}.json`]);
  return [
    [single, { kind: 'single', file: join(dir, single) }],
    ...[...indices].map((name): [string, WeightFiles] => [name, { kind: 'sharded', index: join(dir, name) }]),
  ];
}

async function listFolder(dir: string, stem: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(await readdir(dir));
  } catch (error) {
    if (isMissing(error)) throw missing(join(dir, `${stem}.safetensors`));
    throw translateReadError(dir, error);
  }
}

function missing(path: string): EditError {
  return new EditError('model-missing', `${path}: there is no such file; the checkpoint needs it.`, {
    hint: 'Download the whole checkpoint in the diffusers folder format, with .safetensors weights.',
  });
}
