// A checkpoint folder as diffusers saves it: model_index.json, a folder for each network, scheduler and tokenizers. Which
// networks there are is said by a layout, which a model family has.

import { join, resolve } from 'node:path';
import { EditError } from '../errors.ts';
import type { TensorInfo } from '../tensor/stored-tensor.ts';
import { openComponent, openWeights, type Component, type OpenOptions, type PartLayout } from './component.ts';
import { type JsonObject, readJsonObject } from './json-file.ts';
import { requireCheckpointFolder } from './single-file.ts';
import { readTokenizerFiles, type TokenizerFiles } from './tokenizer-files.ts';

/** A checkpoint before it is known what it is. */
export interface CheckpointFolder {
  /** Absolute. */
  readonly dir: string;
  /** model_index.json as it is. */
  readonly modelIndex: JsonObject;
  /** config.json in the folder `part`; null where there is none. Throws EditError('model-damaged'). */
  readConfig(part: string): Promise<JsonObject | null>;
  /** What there is in a part's weights, by key; null where there are none that can be read. Throws EditError('model-damaged'). */
  readTensors(part: PartLayout): Promise<ReadonlyMap<string, TensorInfo> | null>;
}

export interface CheckpointLayout {
  /** In the order in which they are opened. */
  readonly parts: readonly PartLayout[];
  /** Folders. */
  readonly tokenizers: readonly string[];
}

/** What a layout names, opened. */
export interface Checkpoint {
  /** Absolute; the file's path for a checkpoint in one file. */
  readonly dir: string;
  /** model_index.json as it is. */
  readonly modelIndex: JsonObject;
  /** By folder, in the layout's order. */
  readonly parts: ReadonlyMap<string, Component>;
  /** By folder, in the layout's order. */
  readonly tokenizers: ReadonlyMap<string, TokenizerFiles>;
  /** scheduler_config.json as it is. */
  readonly schedulerConfig: JsonObject;
}

/** Throws EditError: 'model-missing', 'model-damaged', 'model-unsupported' for what is no such folder. */
export async function openCheckpointFolder(dir: string): Promise<CheckpointFolder> {
  const absolute = resolve(dir);
  await requireCheckpointFolder(absolute);
  const modelIndex = await readJsonObject(join(absolute, 'model_index.json'));
  return {
    dir: absolute,
    modelIndex,
    readConfig: (part) => unlessAbsent(() => readJsonObject(join(absolute, part, 'config.json'))),
    readTensors: (part) => unlessAbsent(async () => (await openWeights(join(absolute, part.folder), part)).tensors),
  };
}

async function unlessAbsent<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    const isAbsent = error instanceof EditError && ['model-missing', 'model-unsupported'].includes(error.code);
    if (isAbsent) return null;
    throw error;
  }
}

/** Throws EditError: 'model-missing' with the path that was expected, 'model-damaged', 'model-unsupported'. */
export async function readCheckpoint(
  { dir, modelIndex }: CheckpointFolder,
  layout: CheckpointLayout,
  options: OpenOptions = {},
): Promise<Checkpoint> {
  const parts = new Map<string, Component>();
  for (const part of layout.parts) parts.set(part.folder, await openComponent(join(dir, part.folder), part, options));
  const schedulerConfig = await readJsonObject(join(dir, 'scheduler', 'scheduler_config.json'));
  const tokenizers = new Map<string, TokenizerFiles>();
  for (const folder of layout.tokenizers) tokenizers.set(folder, await readTokenizerFiles(join(dir, folder)));
  return { dir, modelIndex, parts, schedulerConfig, tokenizers };
}

/** One part of a folder. Throws as readCheckpoint does. */
export function openPart({ dir }: CheckpointFolder, part: PartLayout, options: OpenOptions = {}): Promise<Component> {
  return openComponent(join(dir, part.folder), part, options);
}

/** scheduler_config.json; null where there is none. Throws EditError('model-damaged'). */
export function readSchedulerConfig({ dir }: CheckpointFolder): Promise<JsonObject | null> {
  return unlessAbsent(() => readJsonObject(join(dir, 'scheduler', 'scheduler_config.json')));
}

/** The tokenizer in the folder `name`; null where there is none. Throws EditError('model-damaged'). */
export function readTokenizer({ dir }: CheckpointFolder, name: string): Promise<TokenizerFiles | null> {
  return unlessAbsent(() => readTokenizerFiles(join(dir, name)));
}

/** A part that the checkpoint's layout names. */
export function partOf({ parts }: Checkpoint, folder: string): Component {
  const part = parts.get(folder);
  if (part === undefined) throw new TypeError(`The layout has no part ${folder}.`);
  return part;
}
