// Another checkpoint, a file with a part of one, or the folder of a VAE, that gives what a checkpoint in one file lacks.

import { isFile, openCheckpointFile } from '../weights/checkpoint-file.ts';
import { openCheckpointFolder, openPart, readSchedulerConfig, readTokenizer } from '../weights/checkpoint.ts';
import type { Component, OpenOptions, PartLayout } from '../weights/component.ts';
import type { JsonObject } from '../weights/json-file.ts';
import { configIn } from '../weights/part-path.ts';
import { tensorsInFiles } from '../weights/tensor-source.ts';
import type { TokenizerFiles } from '../weights/tokenizer-files.ts';
import { unsupported } from '../weights/unsupported.ts';
import { classNameOf } from './class-name.ts';
import type { ModelFamily } from './family.ts';
import { openNamedVae } from './replace-vae.ts';

export interface Donor {
  /** config.json of a part; null where there is no such part. */
  config(folder: string): Promise<JsonObject | null>;
  /** Throws EditError: 'model-missing', 'model-damaged', 'model-unsupported'. */
  open(part: PartLayout): Promise<Component>;
  schedulerConfig(): Promise<JsonObject | null>;
  tokenizer(folder: string): Promise<TokenizerFiles | null>;
}

export interface DonorOptions extends OpenOptions {
  /** The scaling factor of the latents that the UNet knows. */
  readonly latentScale: number;
}

/**
 * Throws EditError: 'model-missing', 'model-damaged', 'model-unsupported' for one of another family, and those of a VAE that
 * cannot be used.
 */
export async function openDonor(path: string, family: ModelFamily, options: DonorOptions): Promise<Donor> {
  if (await isFile(path)) return fileDonor(path, family);
  return (await isVaeFolder(path)) ? vaeDonor(path, family, options) : folderDonor(path, family, options);
}

async function isVaeFolder(path: string): Promise<boolean> {
  const config = await configIn(path);
  return config !== null && classNameOf(config) === 'AutoencoderKL';
}

/** The folder of a VAE does not say of which family it is: latents of another scale are of another. */
async function vaeDonor(path: string, family: ModelFamily, { latentScale, ...options }: DonorOptions): Promise<Donor> {
  const vae = await openNamedVae(
    family,
    { name: path.split(/[\\/]/).at(-1) ?? path, file: path },
    latentScale,
    options,
  );
  const isFitting = vae.config['scaling_factor'] === latentScale;
  return {
    config: (folder) => Promise.resolve(folder === 'vae' && isFitting ? vae.config : null),
    open({ folder }) {
      if (folder !== 'vae') throw new TypeError(`${path} has no ${folder}.`);
      return Promise.resolve(vae);
    },
    schedulerConfig: () => Promise.resolve(null),
    tokenizer: () => Promise.resolve(null),
  };
}

async function folderDonor(path: string, family: ModelFamily, options: OpenOptions): Promise<Donor> {
  const folder = await openCheckpointFolder(path);
  if (!(await family.recognises(folder))) {
    throw unsupported(
      path,
      `is no checkpoint of ${family.title}, whose parts are needed`,
      `a checkpoint of ${family.title}`,
    );
  }
  return {
    config: (name) => folder.readConfig(name),
    open: (part) => openPart(folder, part, options),
    schedulerConfig: () => readSchedulerConfig(folder),
    tokenizer: (name) => readTokenizer(folder, name),
  };
}

/** Its configs follow from its shapes, as those of the file that lacks a part. */
async function fileDonor(path: string, family: ModelFamily): Promise<Donor> {
  const file = await openCheckpointFile(path);
  const found = await family.singleFile?.read(file);
  const parts = new Map([...(found?.parts ?? [])].filter(([folder]) => folder !== 'unet'));
  if (![...parts.values()].some((part) => part !== null)) {
    throw unsupported(
      path,
      `has no part of ${family.title} that a checkpoint could lack`,
      `a checkpoint of ${family.title}`,
    );
  }
  return {
    config: (folder) => Promise.resolve(parts.get(folder)?.config ?? null),
    open({ folder }) {
      const part = parts.get(folder) ?? null;
      if (part === null) throw new TypeError(`${path} has no ${folder}.`);
      return Promise.resolve({ dir: file.path, config: part.config, weights: tensorsInFiles(part.weights) });
    },
    schedulerConfig: () => Promise.resolve(null),
    tokenizer: () => Promise.resolve(null),
  };
}
