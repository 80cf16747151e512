// The weights of a network with LoRA merged into them, before the network is built: a step costs nothing more, and whatever
// a LoRA changes (attention, convolutions, norms) is changed for every graph. Changed weights are written to one file in the
// folder of copies; the others stay where they are.

import { createHash } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { parse } from 'node:path';
import { EditError, throwIfCanceled } from '../../errors.ts';
import { explainingDisk } from '../../files/disk-error.ts';
import { removeAbandoned, writeWhole, type Append } from '../../files/write-whole.ts';
import { float32ToFloat16 } from '../../tensor/half.ts';
import type { StoredTensors, TensorInfo } from '../../tensor/stored-tensor.ts';
import { tensor, type Tensor } from '../../tensor/tensor.ts';
import { advice, requireSpace } from '../copy-room.ts';
import { translateReadError } from '../read-range.ts';
import { openSafetensors, storedTensors, toFloat32 } from '../safetensors.ts';
import { layOut, type SafetensorsLayout } from '../safetensors-write.ts';
import { byteLengthOf, tensorsInFiles, type TensorReader, type TensorSource } from '../tensor-source.ts';
import { adapterError, naming } from './adapter-error.ts';
import { applyChange } from './apply-change.ts';
import { readValues } from './lora-file.ts';
import type { WeightChange } from './match-lora.ts';
import { makeRoom, markUsed, mergedFile } from './merged-copies.ts';
import type { MatrixProducts, Multiply } from './products.ts';

export interface MergeOptions {
  /** Where changed weights are kept. Made when missing. */
  readonly cacheDir: string;
  /** Called for each file that is made. */
  readonly openProducts: () => MatrixProducts;
  /** Ends the making with CanceledError. */
  readonly signal?: AbortSignal | undefined;
  /** Files of merged weights that the same edit needs; this one adds its own. */
  readonly inUse: Set<string>;
  /**
   * Whether a graph can refer to this file and to those of `cacheDir` together; weights in others are copied with the changed
   * ones. Default: on the same drive (onnx/serde.ts).
   */
  readonly isReachable?: (file: string) => boolean;
}

/**
 * `source` with the changes of `changes`, by key, each weight's in their order. A weight of half precision (float16) is
 * merged in float32 and rounded to halves; every other is float32 afterwards. The file of changed weights is named after the
 * fingerprints of the source and of the LoRAs; it is made when it is first asked for and missing or damaged.
 */
export function mergedWeights(
  source: TensorSource,
  changes: ReadonlyMap<string, readonly WeightChange[]>,
  options: MergeOptions,
): TensorSource {
  const tensors = new Map([...source.tensors].map(([key, info]) => [key, changes.has(key) ? mergedInfo(info) : info]));
  const fingerprint = async () => fingerprintOf(await source.fingerprint(), changes);
  const stored = async () => findOrMerge({ source, changes, tensors, fingerprint: await fingerprint() }, options);
  return { tensors, fingerprint, stored, open: async () => tensorsInFiles(await stored()).open() };
}

function mergedInfo({ dtype, dims }: TensorInfo): TensorInfo {
  return { dtype: dtype === 'float16' ? 'float16' : 'float32', dims };
}

async function fingerprintOf(source: string, changes: ReadonlyMap<string, readonly WeightChange[]>): Promise<string> {
  const hash = createHash('sha256').update(source);
  const loras = new Set([...changes.values()].flatMap((all) => all.map(({ lora }) => lora)));
  for (const { name, file, strength } of loras) {
    const { size, mtimeMs } = await naming('LoRA', name, async () =>
      stat(file).catch((error: unknown) => {
        throw translateReadError(file, error);
      }),
    );
    hash.update(JSON.stringify([file, size, mtimeMs, strength]));
  }
  return hash.digest('hex').slice(0, 32);
}

interface Merge {
  readonly source: TensorSource;
  readonly changes: ReadonlyMap<string, readonly WeightChange[]>;
  /** Of the merged weights. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly fingerprint: string;
}

async function findOrMerge(merge: Merge, options: MergeOptions): Promise<StoredTensors> {
  const {
    cacheDir,
    signal,
    inUse,
    isReachable = (file: string) => parse(file).root === parse(cacheDir).root,
  } = options;
  throwIfCanceled(signal);
  const base = await merge.source.stored();
  const keys = [...base].filter(([key, { file }]) => merge.changes.has(key) || !isReachable(file)).map(([key]) => key);
  const layout = layOut(new Map(keys.map((key) => [key, merge.tensors.get(key) as TensorInfo])));
  const path = mergedFile(cacheDir, merge.fingerprint);
  inUse.add(path);
  const kept = await openMerged(path, layout);
  if (kept !== undefined) {
    await markUsed(path);
    return new Map([...base, ...kept]);
  }
  await explainingDisk(cacheDir, advice, () => mkdir(cacheDir, { recursive: true }));
  await removeAbandoned(cacheDir);
  await makeRoom(cacheDir, layout.sizeBytes, inUse);
  await requireSpace(cacheDir, layout.sizeBytes, 'the merged weights of LoRA');
  await writeWhole(path, (append) => mergeAll(merge, layout, append, options), advice);
  const made = await openMerged(path, layout);
  if (made === undefined) throw new EditError('internal', `${path}: was written but is not right.`);
  return new Map([...base, ...made]);
}

/** The tensors of the file at `path`; undefined when it is missing, damaged or laid out otherwise. */
async function openMerged(path: string, { tensors }: SafetensorsLayout): Promise<StoredTensors | undefined> {
  try {
    const present = storedTensors(await openSafetensors(path));
    const fits = [...tensors].every(([key, { dtype, dims }]) => {
      const found = present.get(key);
      return found?.dtype === dtype && found.dims.join() === dims.join();
    });
    return fits ? present : undefined;
  } catch (error) {
    if (error instanceof EditError) return undefined;
    throw error;
  }
}

/** Appends the whole file, merging the next weight while the last one is being written. */
async function mergeAll(
  { source, changes, tensors }: Merge,
  { head, names }: SafetensorsLayout,
  append: Append,
  { openProducts, signal }: MergeOptions,
): Promise<void> {
  const reader = await source.open();
  const products = openProducts();
  const begin = (bytes: Uint8Array): Promise<void> => {
    const write = append(bytes);
    write.catch(() => undefined); // it is awaited below; until then its failure must not count as unhandled
    return write;
  };
  const mergedBytes = async (bytes: Uint8Array, key: string): Promise<Uint8Array> => {
    const own = changes.get(key);
    const { dtype, dims } = source.tensors.get(key) as TensorInfo;
    if (own === undefined) return bytes;
    const weight = tensor(dims, toFloat32(dtype, bytes));
    for (const change of own) await mergeOne(weight, change, products.multiply);
    const { buffer, byteOffset, byteLength } =
      tensors.get(key)?.dtype === 'float16' ? float32ToFloat16(weight.data) : weight.data;
    return new Uint8Array(buffer, byteOffset, byteLength);
  };
  let writing = begin(head);
  try {
    for (const key of names) {
      throwIfCanceled(signal);
      const bytes = await readWeight(reader, key, source.tensors.get(key) as TensorInfo);
      const merged = await mergedBytes(bytes, key);
      await writing;
      writing = begin(merged);
    }
  } finally {
    // Also when a merge failed: the file must not be closed under a write.
    await writing.finally(async () => {
      await products.release();
      await reader.close();
    });
  }
}

/** In memory of its own, aligned for every element type. */
async function readWeight(reader: TensorReader, key: string, info: TensorInfo): Promise<Uint8Array> {
  const bytes = new Uint8Array(byteLengthOf(info));
  await reader.read(key, 0, bytes.length, bytes);
  return bytes;
}

async function mergeOne(
  weight: Tensor,
  { lora, change, keys, target, magnitudes: axis }: WeightChange,
  multiply: Multiply,
): Promise<void> {
  const slots = [...change.slots, 'alpha', 'doraScale', 'magnitude'] as const;
  const wanted = slots.flatMap((slot) => keys.get(slot) ?? []);
  const values = await readValues(lora, wanted);
  const tensors = new Map(
    slots.flatMap((slot) => {
      const found = values.get(keys.get(slot) ?? '');
      return found === undefined ? [] : [[slot, found] as const];
    }),
  );
  const lengths = tensors.get('magnitude') ?? tensors.get('doraScale');
  const magnitudes = axis === null || lengths === undefined ? null : { axis, values: lengths.data };
  const scale = scaleOf(change.rank, tensors.get('alpha')?.data[0], (rank) =>
    lora.declaredScale(target.module, target.part, rank),
  );
  await applyChange(weight, change, tensors, { strength: lora.strength, scale }, magnitudes, multiply);
  if (!isFiniteThroughout(weight.data)) {
    const key = keys.get(change.slots[0] ?? 'alpha') ?? '';
    throw adapterError('adapter-damaged', 'LoRA', lora.name, `has values that are no numbers, in "${key}".`);
  }
}

/** A sum of zeros, unless a value is none: on hundreds of millions of values faster than a look at each. */
function isFiniteThroughout(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += 0 * (values[i] as number);
  return sum === 0;
}

/** alpha / rank. kohya: an alpha of 0 means the rank. Without an alpha the change is taken as it is. */
function scaleOf(rank: number | null, alpha: number | undefined, declared: (rank: number) => number | null): number {
  if (rank === null) return 1;
  if (alpha === undefined) return declared(rank) ?? 1;
  return (alpha === 0 ? rank : alpha) / rank;
}
