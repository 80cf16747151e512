// One network of a checkpoint: its config.json and where its weights lie.

import { join, resolve } from 'node:path';
import { EditError } from '../errors.ts';
import type { StoredTensor, StoredTensors } from '../tensor/stored-tensor.ts';
import { type JsonObject, readJsonObject } from './json-file.ts';
import { openSafetensors, type SafetensorsFile, storedTensor } from './safetensors.ts';
import { openShards } from './shards.ts';
import { refuseSingleFileNaming } from './single-file.ts';
import { tensorsInFiles, type TensorSource } from './tensor-source.ts';
import { findWeightFiles } from './weight-files.ts';

export interface Component {
  /** Absolute. */
  readonly dir: string;
  /** config.json as it is; its fields are not checked here. */
  readonly config: JsonObject;
  readonly weights: TensorSource;
}

/** The files of a network in a checkpoint. */
export interface PartLayout {
  /** Its folder. */
  readonly folder: string;
  /** The name of its weights before the dots, for instance `diffusion_pytorch_model`. */
  readonly stem: string;
  /** Refuses the config.json of another kind of network with EditError('model-unsupported'). */
  readonly requireKind?: (dir: string, config: JsonObject) => void;
  /** The weights under the names by which the network asks for them, where files have others. */
  readonly rename?: (weights: StoredTensors) => StoredTensors;
}

export interface OpenOptions {
  /** Preferred form of the weights, such as `fp16`. The plain one by default. */
  readonly variant?: string;
}

/**
 * What holds learned values. Everything else, such as the position_ids that older versions of transformers saved, is a buffer,
 * whose values are known: one of whole numbers is not read.
 */
const learned = /(^|\.)(weight|bias)$/;
const ignoredBuffer = /(^|\.)position_ids$/;

/**
 * Opens one network's own folder, for instance `<checkpoint>/unet`. Only headers are read.
 * Throws EditError: 'model-missing', 'model-damaged', 'model-unsupported'.
 */
export async function openComponent(dir: string, part: PartLayout, options: OpenOptions = {}): Promise<Component> {
  const absolute = resolve(dir);
  const config = await readJsonObject(join(absolute, 'config.json'));
  part.requireKind?.(absolute, config);
  return { dir: absolute, config, weights: await openWeights(absolute, part, options) };
}

/** The weights alone. Throws EditError: 'model-missing', 'model-damaged', 'model-unsupported'. */
export async function openWeights(
  dir: string,
  { stem, rename = (weights) => weights }: PartLayout,
  { variant }: OpenOptions = {},
): Promise<TensorSource> {
  const found = await findWeightFiles(dir, stem, variant);
  const files = found.kind === 'single' ? [await openSafetensors(found.file)] : await openShards(found.index);
  return tensorsInFiles(rename(mergeWeights(files)));
}

function mergeWeights(files: readonly SafetensorsFile[]): StoredTensors {
  const weights = new Map<string, StoredTensor>();
  for (const file of files) {
    refuseSingleFileNaming(file);
    for (const [name, entry] of file.entries) {
      if (ignoredBuffer.test(name)) continue;
      const stored = storedTensor(file.path, entry);
      if (stored === undefined && !learned.test(name)) continue;
      if (stored === undefined) {
        throw new EditError(
          'model-unsupported',
          `${file.path}: tensor "${name}": weights must be F32, F16, BF16 or F8, got ${entry.dtype}.`,
          { hint: 'Use the original weights, not a quantised or converted form.' },
        );
      }
      weights.set(name, stored);
    }
  }
  return weights;
}
