// What an edit adds to a checkpoint: LoRA, which change weights, and embeddings, which are words of the prompt. A VAE that
// replaces the checkpoint's own is a part of the checkpoint (families/replace-vae.ts).

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { ControlNetFile } from '../../families/open-controlnet.ts';
import type { VaeFile } from '../../families/replace-vae.ts';
import { sha256OfFile } from '../../files/sha256.ts';
import type { Checkpoint } from '../../weights/checkpoint.ts';
import { naming } from '../../weights/lora/adapter-error.ts';
import { openLora, type LoraFile } from '../../weights/lora/lora-file.ts';
import { changesByWeight, leftOverNotice, matchLora, type MatchedLora } from '../../weights/lora/match-lora.ts';
import { mergedWeights } from '../../weights/lora/merged-weights.ts';
import { adapterNames, adaptedParts } from '../../weights/lora/module-names.ts';
import { translateReadError } from '../../weights/read-range.ts';
import type { TensorSource } from '../../weights/tensor-source.ts';
import { readEmbedding, type EmbeddingFile, type PromptEmbedding } from '../../weights/textual-inversion.ts';
import { openMatrixProducts } from './matrix-product.ts';

/** As a job names them. */
export interface AdapterFiles {
  /** In the order in which they are merged. A strength of 0 leaves the model as it is. */
  readonly loras?: readonly LoraFile[] | undefined;
  readonly embeddings?: readonly EmbeddingFile[] | undefined;
  /** Do not change the model: they stand beside it. */
  readonly controls?: readonly ControlNetFile[] | undefined;
  /** In place of the checkpoint's own; null or left out for that. */
  readonly vae?: VaeFile | null | undefined;
}

export interface Adapters {
  readonly loras: readonly MatchedLora[];
  readonly embeddings: readonly PromptEmbedding[];
  /** What the report of an edit says about them. */
  readonly notices: readonly string[];
}

/**
 * Reads what the files are and which weights they change; of LoRA only the headers. Throws EditError: 'adapter-missing',
 * 'adapter-damaged', 'adapter-unsupported'.
 */
export async function openAdapters({ parts }: Pick<Checkpoint, 'parts'>, files: AdapterFiles): Promise<Adapters> {
  const used = (files.loras ?? []).filter(({ strength }) => strength !== 0);
  const tensors = new Map(
    adaptedParts.flatMap((folder) => {
      const part = parts.get(folder);
      return part === undefined ? [] : [[folder, part.weights.tensors] as const];
    }),
  );
  const names = used.length === 0 ? new Map() : adapterNames(keysOf(tensors));
  const loras: MatchedLora[] = [];
  for (const file of used) loras.push(matchLora(await openLora(file), tensors, names));
  const embeddings: PromptEmbedding[] = [];
  for (const file of files.embeddings ?? []) embeddings.push(await readEmbedding(file));
  return { loras, embeddings, notices: loras.flatMap((lora) => leftOverNotice(lora) ?? []) };
}

function keysOf(parts: ReadonlyMap<string, ReadonlyMap<string, unknown>>): ReadonlyMap<string, Iterable<string>> {
  return new Map([...parts].map(([folder, tensors]) => [folder, tensors.keys()]));
}

export interface MergeIntoOptions {
  /** Where copies of weights are kept. */
  readonly weightsDir: string;
  readonly signal?: AbortSignal | undefined;
  /** The weights that LoRA are merged into: as they are, or in another precision. */
  readonly prepare: (weights: TensorSource) => TensorSource;
}

/** The checkpoint with the LoRA in its weights. Nothing is computed before the weights are asked for. */
export function mergeInto<C extends Checkpoint>(checkpoint: C, { loras }: Adapters, options: MergeIntoOptions): C {
  if (loras.length === 0) return checkpoint;
  const changes = changesByWeight(loras);
  const { weightsDir: cacheDir, signal, prepare } = options;
  const merge = { cacheDir, signal, openProducts: openMatrixProducts, inUse: new Set<string>() };
  const parts = [...checkpoint.parts].map(([folder, part]) => {
    const own = changes.get(folder);
    return [
      folder,
      own === undefined ? part : { ...part, weights: mergedWeights(prepare(part.weights), own, merge) },
    ] as const;
  });
  return { ...checkpoint, parts: new Map(parts) };
}

/** Equal only for equal files in the same order with equal strengths, in any folder; null where there are none. */
export async function identifyAdapters({ loras, embeddings }: AdapterFiles): Promise<string | null> {
  const used = (loras ?? []).filter(({ strength }) => strength !== 0);
  if (used.length === 0 && (embeddings ?? []).length === 0) return null;
  const identity: unknown[] = [];
  for (const { name, file, strength } of used) identity.push([await contentOf('LoRA', name, file), strength]);
  for (const { word, file } of embeddings ?? []) identity.push([await contentOf('embedding', word, file), word]);
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex');
}

/** Hashes of files that this process has read, by path, size and time of change. */
const known = new Map<string, string>();

function contentOf(kind: 'LoRA' | 'embedding', name: string, file: string): Promise<string> {
  return naming(kind, name, async () => {
    try {
      const { size, mtimeMs } = await stat(file);
      const key = JSON.stringify([file, size, mtimeMs]);
      const hash = known.get(key) ?? (await sha256OfFile(file));
      known.set(key, hash);
      return hash;
    } catch (error) {
      throw translateReadError(file, error);
    }
  });
}
