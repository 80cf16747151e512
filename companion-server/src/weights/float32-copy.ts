// A wider copy of weights, made once and kept: the CPU's graphs map it into memory instead of each widening the weights
// for itself (measured: 0.5 s and 0.1 GB against 11 s and 3.6 GB for an SD-1.5-sized UNet). Graphs have no element types
// of eight bits, so that weights of these are widened for every device.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EditError, throwIfCanceled } from '../errors.ts';
import { explainingDisk } from '../files/disk-error.ts';
import { removeAbandoned, writeWhole, type Append } from '../files/write-whole.ts';
import { float32ToFloat16 } from '../tensor/half.ts';
import type { StoredDtype, StoredTensor, StoredTensors, TensorInfo } from '../tensor/stored-tensor.ts';
import { advice, requireSpace } from './copy-room.ts';
import { openSafetensors, storedTensors, toFloat32 } from './safetensors.ts';
import { layOut, type SafetensorsLayout } from './safetensors-write.ts';
import { byteLengthOf, tensorsInFiles, type TensorSource } from './tensor-source.ts';

/** Bytes of source read at a time. Two pieces and what they widen to are held at once. */
const chunkBytes = 4 * 2 ** 20;

/**
 * The tensors of `source` in float32, each on a 4-byte boundary: where they lie already when they are so, else in one file
 * in `cacheDir`. The file is named after the source's fingerprint; it is made when it is first asked for and missing or
 * damaged, and otherwise used as it is.
 * @param cacheDir made when missing
 * @param signal ends the making with CanceledError
 */
export function float32Copy(source: TensorSource, cacheDir: string, signal?: AbortSignal): TensorSource {
  return widened(source, { ...toSingle, cacheDir, signal });
}

/** `source` where no tensor of it has eight bits, else a copy in which those are float16; see `float32Copy`. */
export function withoutFloat8(source: TensorSource, cacheDir: string, signal?: AbortSignal): TensorSource {
  const isNarrow = [...source.tensors.values()].some(({ dtype }) => dtype !== toHalf.widen(dtype));
  return isNarrow ? widened(source, { ...toHalf, cacheDir, signal }) : source;
}

/** Bytes that the float32 copy of `source` will take on the disk of `cacheDir`; 0 where it needs none or has one. */
export async function missingCopyBytes(source: TensorSource, cacheDir: string): Promise<number> {
  const copy = { ...toSingle, cacheDir };
  if ((await asTheyAre(source)) !== undefined) return 0;
  const layout = layOut(widenedInfos(source, copy.widen));
  return (await openCopy(await pathOf(source, copy), layout)) === undefined ? layout.sizeBytes : 0;
}

interface Copy {
  /** The element type that one becomes. */
  readonly widen: (dtype: StoredDtype) => StoredDtype;
  /** Tells files of one fingerprint apart. */
  readonly suffix: string;
  readonly cacheDir: string;
  readonly signal?: AbortSignal | undefined;
}

type Widening = Pick<Copy, 'widen' | 'suffix'>;
const toSingle: Widening = { widen: () => 'float32', suffix: '' };
const toHalf: Widening = {
  widen: (dtype) => (dtype === 'float8_e4m3' || dtype === 'float8_e5m2' ? 'float16' : dtype),
  suffix: '.half',
};

function widened(source: TensorSource, copy: Copy): TensorSource {
  const stored = () => findOrMakeCopy(source, copy);
  return {
    tensors: widenedInfos(source, copy.widen),
    fingerprint: async () => tensorsInFiles(await stored()).fingerprint(),
    open: async () => tensorsInFiles(await stored()).open(),
    stored,
  };
}

function widenedInfos({ tensors }: TensorSource, widen: Copy['widen']): ReadonlyMap<string, TensorInfo> {
  return new Map([...tensors].map(([name, { dtype, dims }]) => [name, { dtype: widen(dtype), dims }]));
}

async function pathOf(source: TensorSource, { cacheDir, suffix }: Copy): Promise<string> {
  return join(cacheDir, `${await source.fingerprint()}${suffix}.safetensors`);
}

/** The weights where they are, if they are float32 on 4-byte boundaries. */
async function asTheyAre(source: TensorSource): Promise<StoredTensors | undefined> {
  if ([...source.tensors.values()].some(({ dtype }) => dtype !== 'float32')) return undefined;
  const weights = await source.stored();
  return [...weights.values()].every(({ byteOffset }) => byteOffset % 4 === 0) ? weights : undefined;
}

async function findOrMakeCopy(source: TensorSource, copy: Copy): Promise<StoredTensors> {
  const { cacheDir, signal, widen } = copy;
  throwIfCanceled(signal);
  const present = await asTheyAre(source);
  if (present !== undefined) return present;
  const layout = layOut(widenedInfos(source, widen));
  const path = await pathOf(source, copy);
  const kept = await openCopy(path, layout);
  if (kept !== undefined) return kept;

  await explainingDisk(cacheDir, advice, () => mkdir(cacheDir, { recursive: true }));
  await removeAbandoned(cacheDir);
  await requireSpace(cacheDir, layout.sizeBytes, 'a wider copy of the weights');
  await writeWhole(path, (append) => widenAll(source, layout, append, signal), advice);
  const made = await openCopy(path, layout);
  if (made === undefined) throw new EditError('internal', `${path}: was written but is not right.`);
  return made;
}

/** The tensors of the file at `path`; undefined when it is missing, damaged or laid out otherwise. */
async function openCopy(path: string, layout: SafetensorsLayout): Promise<StoredTensors | undefined> {
  try {
    const present = storedTensors(await openSafetensors(path));
    const stored = new Map<string, StoredTensor>();
    for (const [name, { dtype, dims }] of layout.tensors) {
      const entry = present.get(name);
      if (entry?.dtype !== dtype || entry.dims.join() !== dims.join()) return undefined;
      stored.set(name, entry);
    }
    return stored;
  } catch (error) {
    if (error instanceof EditError) return undefined;
    throw error;
  }
}

/** Appends the whole file, reading the next piece while the last one is being written. */
async function widenAll(
  source: TensorSource,
  layout: SafetensorsLayout,
  append: Append,
  signal: AbortSignal | undefined,
): Promise<void> {
  const reader = await source.open();
  const slots = [makeSlot(), makeSlot()];
  const begin = (bytes: Uint8Array): Promise<void> => {
    const write = append(bytes);
    write.catch(() => undefined); // it is awaited below; until then its failure must not count as unhandled
    return write;
  };
  let writing = begin(layout.head);
  try {
    for (const { name, info, start, length } of piecesOf(source, layout.names)) {
      throwIfCanceled(signal);
      const [slot = makeSlot()] = slots;
      slots.reverse();
      const bytes = slot.bytes.subarray(0, length);
      await reader.read(name, start, length, bytes);
      const wide = widenPiece(bytes, info.dtype, layout.tensors.get(name)?.dtype, slot.floats);
      await writing;
      writing = begin(wide);
    }
  } finally {
    // Also when a read failed: the file must not be closed under a write.
    await writing.finally(() => reader.close());
  }
}

/** @param target for float32 values */
function widenPiece(
  bytes: Uint8Array,
  from: StoredDtype,
  to: StoredDtype | undefined,
  target: Float32Array,
): Uint8Array {
  if (from === to) return bytes;
  const floats = toFloat32(from, bytes, target);
  const { buffer, byteOffset, byteLength } = to === 'float16' ? float32ToFloat16(floats) : floats;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** What is read at a time, and what it is widened to. */
function makeSlot(): { readonly bytes: Uint8Array; readonly floats: Float32Array } {
  return { bytes: new Uint8Array(chunkBytes), floats: new Float32Array(chunkBytes) };
}

function* piecesOf(
  { tensors }: TensorSource,
  names: readonly string[],
): Generator<{ name: string; info: TensorInfo; start: number; length: number }> {
  for (const name of names) {
    const info = tensors.get(name) as TensorInfo;
    const byteLength = byteLengthOf(info);
    for (let start = 0; start < byteLength; start += chunkBytes) {
      yield { name, info, start, length: Math.min(chunkBytes, byteLength - start) };
    }
  }
}
