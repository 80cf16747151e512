// Opens a Stable Diffusion 1.x or 2.x checkpoint: a folder as diffusers saves it. Headers and small files are read,
// weights stay where they are.

import { join, resolve } from 'node:path';
import { type Component, openComponent, type OpenOptions } from './component.ts';
import { type JsonObject, readJsonObject } from './json-file.ts';
import { requireCheckpointFolder } from './single-file.ts';
import { requireSupportedPipeline } from './supported.ts';
import { readTokenizerFiles, type TokenizerFiles } from './tokenizer-files.ts';

export interface Checkpoint {
  /** Absolute. */
  readonly dir: string;
  readonly unet: Component;
  readonly vae: Component;
  readonly textEncoder: Component;
  /** scheduler_config.json as it is. */
  readonly schedulerConfig: JsonObject;
  readonly tokenizer: TokenizerFiles;
}

/**
 * Opens the checkpoint in the folder `dir`. Throws EditError: 'model-missing' with the path that was expected,
 * 'model-damaged' with file, rule and value, 'model-unsupported' with what the checkpoint is instead.
 */
export async function openCheckpoint(dir: string, options: OpenOptions = {}): Promise<Checkpoint> {
  const absolute = resolve(dir);
  await requireCheckpointFolder(absolute);
  const modelIndex = await readJsonObject(join(absolute, 'model_index.json'));
  requireSupportedPipeline(absolute, modelIndex);
  return {
    dir: absolute,
    unet: await openComponent(join(absolute, 'unet'), 'unet', options),
    vae: await openComponent(join(absolute, 'vae'), 'vae', options),
    textEncoder: await openComponent(join(absolute, 'text_encoder'), 'text_encoder', options),
    schedulerConfig: await readSchedulerConfig(absolute),
    tokenizer: await readTokenizerFiles(join(absolute, 'tokenizer')),
  };
}

/** The scheduler's config of the checkpoint in `dir`. Throws EditError: 'model-missing', 'model-damaged'. */
export async function readSchedulerConfig(dir: string): Promise<JsonObject> {
  return readJsonObject(join(resolve(dir), 'scheduler', 'scheduler_config.json'));
}
