// Opens a checkpoint: finds its family and the parts that the family names. Headers and small files are read, weights
// stay where they are.

import type { PredictionType } from '../diffusion/scheduler-config.ts';
import { openCheckpointFolder, readCheckpoint, type CheckpointFolder } from '../weights/checkpoint.ts';
import { isFile } from '../weights/checkpoint-file.ts';
import type { OpenOptions } from '../weights/component.ts';
import type { JsonObject } from '../weights/json-file.ts';
import type { FamilyCheckpoint, ModelFamily } from './family.ts';
import { families } from './list.ts';
import { openSingleFile, type PartSources } from './open-single-file.ts';
import { refusalOf } from './refusals.ts';
import type { VaeFile } from './replace-vae.ts';

export type { FamilyCheckpoint };

/** How a checkpoint is to be read where it does not say everything itself: plain data. */
export interface CheckpointReading {
  /** What the network predicts, whatever the checkpoint says; null to believe the checkpoint. */
  readonly prediction?: PredictionType | null | undefined;
  /** For a checkpoint in one file that lacks a VAE or a text encoder. */
  readonly partsFrom?: PartSources | undefined;
}

export interface OpenCheckpointOptions extends OpenOptions, CheckpointReading {
  /** The families of checkpoints; all of families/list.ts when left out. */
  readonly families?: readonly ModelFamily[] | undefined;
  /** Taken where a checkpoint in one file has no VAE; `replaceVae` puts it in place of one. */
  readonly vae?: VaeFile | null | undefined;
}

/**
 * Opens the checkpoint in the folder or file `path`. Throws EditError: 'model-missing' with the path that was expected,
 * 'model-damaged' with file, rule and value, 'model-unsupported' with what the checkpoint is instead, and those of
 * `replaceVae`.
 */
export async function openCheckpoint(
  path: string,
  { families: among = families, prediction = null, partsFrom, vae, ...options }: OpenCheckpointOptions = {},
): Promise<FamilyCheckpoint> {
  const checkpoint = (await isFile(path))
    ? await openSingleFile(path, { ...options, families: among, partsFrom, vae })
    : await openFolder(path, among, options);
  return prediction === null ? checkpoint : predicting(checkpoint, prediction);
}

async function openFolder(
  path: string,
  among: readonly ModelFamily[],
  options: OpenOptions,
): Promise<FamilyCheckpoint> {
  const folder = await openCheckpointFolder(path);
  const family = await findFamily(folder, among);
  const checkpoint = await readCheckpoint(folder, family.layout, options);
  return { ...checkpoint, family, isPredictionUncertain: false, borrowedFrom: [], notices: [] };
}

/** The checkpoint as one whose network predicts this. Noise says nothing at zero terminal SNR: that is left out with it. */
export function predicting<C extends FamilyCheckpoint>(checkpoint: C, prediction: PredictionType): C {
  const schedulerConfig: JsonObject = {
    ...checkpoint.schedulerConfig,
    prediction_type: prediction,
    ...(prediction === 'epsilon' ? { rescale_betas_zero_snr: false } : {}),
  };
  return { ...checkpoint, schedulerConfig, isPredictionUncertain: false };
}

async function findFamily(folder: CheckpointFolder, among: readonly ModelFamily[]): Promise<ModelFamily> {
  for (const family of among) if (await family.recognises(folder)) return family;
  throw refusalOf(folder, among);
}
