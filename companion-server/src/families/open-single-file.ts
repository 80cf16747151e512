// A checkpoint in one file: what the file has is mapped where it lies, and what it lacks comes from other checkpoints.

import { EditError } from '../errors.ts';
import { tensorsInFiles } from '../weights/tensor-source.ts';
import { openCheckpointFile, type CheckpointFile } from '../weights/checkpoint-file.ts';
import type { Component, OpenOptions, PartLayout } from '../weights/component.ts';
import type { JsonObject } from '../weights/json-file.ts';
import type { TokenizerFiles } from '../weights/tokenizer-files.ts';
import { unsupported } from '../weights/unsupported.ts';
import type { FamilyCheckpoint, FilePart, ModelFamily, SingleFileLayout } from './family.ts';
import { openDonor, type Donor } from './part-donor.ts';
import { recognise } from './recognise.ts';

/** Where the parts come from that a checkpoint in one file lacks. */
export interface PartSources {
  /**
   * A checkpoint's folder, or a file with parts, that the user named; null for none. The configs, the tokenizers and the
   * schedule of a folder count for what the file does not say.
   */
  readonly named: string | null;
  /** Folders of other checkpoints, the best first. Those of other families, and that are damaged, are passed over. */
  readonly others: readonly string[];
}

export interface SingleFileOptions extends OpenOptions {
  readonly families: readonly ModelFamily[];
  readonly partsFrom?: PartSources | undefined;
}

/** Throws EditError: 'model-unsupported' with what the file is instead, 'model-damaged', 'model-missing'. */
export async function openSingleFile(
  path: string,
  { families, partsFrom = { named: null, others: [] }, ...options }: SingleFileOptions,
): Promise<FamilyCheckpoint> {
  const file = await openCheckpointFile(path);
  const { family, layout } = familyOf(file, families);
  const own = await layout.read(file);
  const named = partsFrom.named === null ? null : await openDonor(partsFrom.named, family, options);
  const others = async (): Promise<readonly Donor[]> =>
    (await Promise.all(partsFrom.others.map((dir) => openDonor(dir, family, options).catch(passOver)))).filter(
      (donor) => donor !== null,
    );
  const unetConfig = own.parts.get('unet')?.config ?? {};
  const parts = new Map<string, Component>();
  for (const part of family.layout.parts) {
    const found = own.parts.get(part.folder) ?? null;
    parts.set(
      part.folder,
      found === null
        ? await borrowed(file.path, part, [...(named === null ? [] : [named]), ...(await others())], (config) =>
            layout.isPartFor(part.folder, config, unetConfig),
          )
        : await ownPart(file.path, part.folder, found, named),
    );
  }
  const tokenizers = new Map<string, TokenizerFiles>();
  for (const [folder, files] of own.tokenizers) tokenizers.set(folder, (await named?.tokenizer(folder)) ?? files);
  const schedule = await named?.schedulerConfig();
  return {
    family,
    dir: file.path,
    parts,
    tokenizers,
    modelIndex: own.modelIndex,
    schedulerConfig: mergedSchedule(own.schedulerConfig, schedule ?? null, own.prediction === 'said'),
    isPredictionUncertain: own.prediction === 'uncertain' && (schedule ?? null) === null,
  };
}

function familyOf(
  file: CheckpointFile,
  families: readonly ModelFamily[],
): { readonly family: ModelFamily; readonly layout: SingleFileLayout } {
  const { family, refusal } = recognise(new Map([...file.others, ...file.tensors]), file.metadata, families);
  if (family?.singleFile === undefined) {
    throw new EditError(
      'model-unsupported',
      `${file.path}: is ${refusal?.what ?? 'of no known family'}; it is not supported.`,
      {
        hint: refusal?.instead,
      },
    );
  }
  const [key, narrow] = [...file.others].find(([name]) => name.endsWith('.weight')) ?? [];
  if (key !== undefined) {
    throw unsupported(
      file.path,
      `has quantised weights ("${key}" is ${narrow?.dtype}), and only floating point is read`,
    );
  }
  return { family, layout: family.singleFile };
}

function passOver(error: unknown): null {
  if (error instanceof EditError) return null;
  throw error;
}

async function ownPart(
  path: string,
  folder: string,
  { config, weights }: FilePart,
  named: Donor | null,
): Promise<Component> {
  return { dir: path, config: await configOf(folder, config, named), weights: tensorsInFiles(weights) };
}

async function borrowed(
  path: string,
  part: PartLayout,
  donors: readonly Donor[],
  fits: (config: JsonObject) => boolean,
): Promise<Component> {
  for (const donor of donors) {
    const config = await donor.config(part.folder);
    if (config !== null && fits(config)) return donor.open(part);
  }
  throw new EditError(
    'model-missing',
    `${path}: the file has no ${partTitle(part.folder)}, and no other checkpoint with a fitting one is known.`,
    {
      hint: 'Use a file of the same model that has it, or the checkpoint as a folder in diffusers layout.',
    },
  );
}

function partTitle(folder: string): string {
  return folder === 'vae' ? 'VAE' : folder.replaceAll('_', ' ');
}

/** Fields that shapes tell: where they differ, a config is of another network. */
const tellingFields = [
  ...['in_channels', 'block_out_channels', 'layers_per_block', 'cross_attention_dim', 'down_block_types'],
  ...['latent_channels', 'vocab_size', 'hidden_size', 'intermediate_size', 'max_position_embeddings'],
];

/** The named folder's config where it is of the same network, else the one that the shapes tell. */
async function configOf(folder: string, own: JsonObject, named: Donor | null): Promise<JsonObject> {
  const other = await named?.config(folder);
  if (other === null || other === undefined) return own;
  const differs = (field: string): boolean =>
    own[field] !== undefined &&
    other[field] !== undefined &&
    JSON.stringify(own[field]) !== JSON.stringify(other[field]);
  return tellingFields.some(differs) ? own : other;
}

function mergedSchedule(own: JsonObject, named: JsonObject | null, isSaid: boolean): JsonObject {
  if (named === null) return own;
  return isSaid ? { ...named, prediction_type: own['prediction_type'] } : named;
}
