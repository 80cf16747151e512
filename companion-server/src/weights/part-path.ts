// One part of a checkpoint by a path of its own.

import { dirname, join } from 'node:path';
import { EditError } from '../errors.ts';
import { isFile, openCheckpointFile, type CheckpointFile } from './checkpoint-file.ts';
import { openComponent, type Component, type OpenOptions, type PartLayout } from './component.ts';
import { readJsonObject, type JsonObject } from './json-file.ts';

export type PartAtPath =
  | { readonly kind: 'component'; readonly component: Component }
  /** A file, in which other parts may be as well. `config`: config.json beside it, whatever that is of; null for none. */
  | { readonly kind: 'file'; readonly file: CheckpointFile; readonly config: JsonObject | null };

/**
 * Opens the part in a safetensors file, in its own folder, or in the folder of a checkpoint. Only headers are read.
 * Throws EditError: 'model-missing', 'model-damaged', 'model-unsupported'.
 */
export async function openPartAt(path: string, part: PartLayout, options: OpenOptions = {}): Promise<PartAtPath> {
  if (await isFile(path)) {
    const file = await openCheckpointFile(path);
    return {
      kind: 'file',
      file,
      config: await configIn(dirname(file.path)),
    };
  }
  const inside = join(path, part.folder);
  const isCheckpoint = (await unlessMissing(() => isFile(join(inside, 'config.json')))) ?? false;
  return { kind: 'component', component: await openComponent(isCheckpoint ? inside : path, part, options) };
}

/** config.json in a folder; null where there is none. Throws EditError('model-damaged'). */
export function configIn(dir: string): Promise<JsonObject | null> {
  return unlessMissing(() => readJsonObject(join(dir, 'config.json')));
}

async function unlessMissing<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof EditError && error.code === 'model-missing') return null;
    throw error;
  }
}
