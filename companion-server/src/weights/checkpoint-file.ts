// A checkpoint in one file: its tensors by the keys that the file has, before it is known what it is.

import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { EditError } from '../errors.ts';
import type { StoredTensor, StoredTensors } from '../tensor/stored-tensor.ts';
import { readSettingsBeside, type LdmSettings } from './ldm/settings-file.ts';
import { readRange, translateReadError, withFile } from './read-range.ts';
import { openSafetensors, storedTensor } from './safetensors.ts';
import { pickled, unsupported } from './unsupported.ts';

export interface CheckpointFile {
  /** Absolute. */
  readonly path: string;
  /** The tensors of floating point, by the file's own keys. */
  readonly tensors: StoredTensors;
  /** Tensors of other types: whole numbers, and floating point of 64 bits. */
  readonly others: ReadonlyMap<string, { readonly dtype: string; readonly dims: readonly number[] }>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Those beside the file. */
  readonly settings: LdmSettings;
}

/** Whether `path` is a file. Throws EditError('model-missing') where there is nothing. */
export async function isFile(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isDirectory();
  } catch (error) {
    throw translateReadError(path, error);
  }
}

/**
 * Reads the header of a safetensors file. Throws EditError: 'model-unsupported' with a name for files of other formats,
 * 'model-missing', 'model-damaged'.
 */
export async function openCheckpointFile(path: string): Promise<CheckpointFile> {
  const absolute = resolve(path);
  await refuseOtherFormats(absolute);
  const file = await openSafetensors(absolute);
  const tensors = new Map<string, StoredTensor>();
  const others = new Map<string, { readonly dtype: string; readonly dims: readonly number[] }>();
  for (const [key, entry] of file.entries) {
    const stored = storedTensor(file.path, entry);
    if (stored === undefined) others.set(key, { dtype: entry.dtype, dims: entry.dims });
    else tensors.set(key, stored);
  }
  return { path: absolute, tensors, others, metadata: file.metadata, settings: await readSettingsBeside(absolute) };
}

const pickleName = /\.(bin|ckpt|pt|pth|pkl)$/i;
/** A ZIP archive, as PyTorch saves since 1.6, and the start of a bare pickle. */
const pickleStarts = [
  [0x50, 0x4b, 0x03, 0x04],
  [0x80, 0x02],
];
const ggufStart = [0x47, 0x47, 0x55, 0x46];

async function refuseOtherFormats(path: string): Promise<void> {
  const start = await withFile(path, async (handle) => {
    const { size } = await handle.stat();
    return readRange(handle, path, 0, Math.min(size, 4));
  });
  const begins = (bytes: readonly number[]): boolean => bytes.every((byte, i) => start[i] === byte);
  if (begins(ggufStart)) {
    throw unsupported(path, 'is quantised (GGUF), and weights are read in plain floating point only');
  }
  if (pickleName.test(path) || pickleStarts.some(begins)) {
    throw pickled(path, 'is a pickle, which may run code when it is read');
  }
  if (/\.(safetensors|sft)$/i.test(path)) return;
  throw new EditError(
    'model-unsupported',
    `${path}: ${basename(path)} is no checkpoint: it must end in .safetensors.`,
    {
      hint: 'Name a .safetensors file, or a folder in the diffusers format: the one with model_index.json in it.',
    },
  );
}
