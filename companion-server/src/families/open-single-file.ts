// A checkpoint in one file: what the file has is mapped where it lies, and what it lacks comes from other checkpoints.

import { EditError } from '../errors.ts';
import { tensorsInFiles } from '../weights/tensor-source.ts';
import { openCheckpointFile, type CheckpointFile } from '../weights/checkpoint-file.ts';
import type { Component, OpenOptions, PartLayout } from '../weights/component.ts';
import type { JsonObject } from '../weights/json-file.ts';
import type { TokenizerFiles } from '../weights/tokenizer-files.ts';
import { unsupported } from '../weights/unsupported.ts';
import type { FamilyCheckpoint, FilePart, ModelFamily, PartDonor, SingleFileLayout } from './family.ts';
import { openDonor, type Donor } from './part-donor.ts';
import { recognise } from './recognise.ts';
import { openNamedVae, requireFittingVae, type VaeFile } from './replace-vae.ts';

/** Where the parts come from that a checkpoint in one file lacks. */
export interface PartSources {
  /**
   * A checkpoint's folder, or a file with parts, that the user named; null for none. The configs, the tokenizers and the
   * schedule of a folder count for what the file does not say.
   */
  readonly named: string | null;
  /** Other checkpoints, the best first. Those of other families, and that are damaged, are passed over. */
  readonly others: readonly PartDonor[];
}

/** A checkpoint in one file lacks parts, and no other checkpoint is known that has them. */
export class PartsMissingError extends EditError {
  /** For users: `VAE`, `text encoder`, ... */
  readonly lacking: readonly string[];
  /** Whether an edit that names a VAE needs nothing else. */
  readonly isVaeOnly: boolean;

  constructor(path: string, lacking: readonly string[]) {
    const isVaeOnly = lacking.every((title) => title === partTitle('vae'));
    const list = alternatives(lacking);
    const rest = `and no other checkpoint with ${lacking.length === 1 ? 'a fitting one' : 'fitting ones'} is known`;
    super('model-missing', `${path}: the file has no ${list}, ${rest}.`, {
      hint: `Name a checkpoint folder of the same family, or a file or folder with the parts, with --parts; models add takes it as well.${isVaeOnly ? ' A VAE alone can be named with --vae.' : ''}`,
    });
    this.lacking = lacking;
    this.isVaeOnly = isVaeOnly;
  }
}

export interface SingleFileOptions extends OpenOptions {
  readonly families: readonly ModelFamily[];
  readonly partsFrom?: PartSources | undefined;
  /** For a file that has no VAE: it goes before those of `partsFrom`. */
  readonly vae?: VaeFile | null | undefined;
}

/** Throws EditError: 'model-unsupported' with what the file is instead, 'model-damaged', 'model-missing'. */
export async function openSingleFile(
  path: string,
  { families, partsFrom = { named: null, others: [] }, vae = null, ...options }: SingleFileOptions,
): Promise<FamilyCheckpoint> {
  const file = await openCheckpointFile(path);
  const { family, layout } = familyOf(file, families);
  const own = await layout.read(file);
  const donorOptions = { ...options, latentScale: own.latentScale };
  const named = partsFrom.named === null ? null : await openDonor(partsFrom.named, family, donorOptions);
  const donors = [
    ...(named === null ? [] : [{ donor: null, open: () => Promise.resolve(named) }]),
    ...partsFrom.others.map((donor) => ({
      donor,
      open: once(() => openDonor(donor.path, family, donorOptions).catch(passOver)),
    })),
  ];
  const parts = new Map<string, Component>();
  const configs = new Map([...own.parts].flatMap(([folder, part]) => (part === null ? [] : [[folder, part.config]])));
  const lacking: string[] = [];
  const givers = new Map<PartDonor, string[]>();
  for (const part of family.layout.parts) {
    const found = own.parts.get(part.folder) ?? null;
    if (found !== null) {
      const component = await ownPart(file.path, part.folder, found, named);
      parts.set(part.folder, component);
      // A folder may leave out what shapes tell.
      configs.set(part.folder, { ...found.config, ...component.config });
      continue;
    }
    if (part.folder === 'vae' && vae !== null) {
      const component = await openNamedVae(family, vae, own.latentScale, options);
      parts.set(part.folder, component);
      configs.set(part.folder, component.config);
      continue;
    }
    const fits = (config: JsonObject): boolean => layout.isPartFor(part.folder, config, configs);
    const given = await borrowed(part, donors, fits);
    if (given === null) lacking.push(partTitle(part.folder));
    else {
      parts.set(part.folder, given.part);
      configs.set(part.folder, given.part.config);
    }
    const giver = given?.from ?? null;
    if (giver !== null) givers.set(giver, [...(givers.get(giver) ?? []), partTitle(part.folder)]);
  }
  if (lacking.length > 0) throw new PartsMissingError(file.path, lacking);
  const tokenizers = new Map<string, TokenizerFiles>();
  for (const [folder, files] of own.tokenizers) tokenizers.set(folder, (await named?.tokenizer(folder)) ?? files);
  const schedule = await named?.schedulerConfig();
  const checkpoint = {
    family,
    dir: file.path,
    parts,
    tokenizers,
    modelIndex: own.modelIndex,
    schedulerConfig: mergedSchedule(own.schedulerConfig, schedule ?? null, own.prediction === 'said'),
    isPredictionUncertain: own.prediction === 'uncertain' && (schedule ?? null) === null,
    borrowedFrom: [...givers.keys()],
    notices: [...givers].map(
      ([{ name }, titles]) =>
        `The model's file has no ${alternatives(titles)}; that of ${name} was used. --parts names another.`,
    ),
  };
  if (vae !== null && own.parts.get('vae') == null) await requireFittingVae(checkpoint, vae, own.latentScale);
  return checkpoint;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
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

interface PossibleDonor {
  /** Null for the one that the user named, whose faults are told. */
  readonly donor: PartDonor | null;
  readonly open: () => Promise<Donor | null>;
}

/** The part of the first checkpoint that has one that fits; null where there is none. */
async function borrowed(
  part: PartLayout,
  donors: readonly PossibleDonor[],
  fits: (config: JsonObject) => boolean,
): Promise<{ readonly from: PartDonor | null; readonly part: Component } | null> {
  for (const { donor: from, open } of donors) {
    const take = async () => {
      const donor = await open();
      const config = (await donor?.config(part.folder)) ?? null;
      return donor !== null && config !== null && fits(config) ? { from, part: await donor.open(part) } : null;
    };
    const taken = await (from === null ? take() : take().catch(passOver));
    if (taken !== null) return taken;
  }
  return null;
}

function partTitle(folder: string): string {
  if (folder === 'text_encoder_2') return 'second text encoder';
  return folder === 'vae' ? 'VAE' : folder.replaceAll('_', ' ');
}

function alternatives(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`;
}

/**
 * Where they differ, a config is of another network. Shapes tell them, but for `force_upcast`: whether the values of a VAE fit
 * into half precision is only said by its own config.
 */
const tellingFields = [
  ...['in_channels', 'block_out_channels', 'layers_per_block', 'cross_attention_dim', 'down_block_types'],
  ...['transformer_layers_per_block', 'reverse_transformer_layers_per_block', 'mid_block_type'],
  ...['force_upcast', 'latent_channels', 'vocab_size', 'hidden_size', 'intermediate_size', 'max_position_embeddings'],
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
