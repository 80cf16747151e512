// Opens safetensors files: reads the header alone, and single tensors on demand. What a StoredTensor says about a
// file was checked here (see safetensors-header.ts), once.

import { resolve } from 'node:path';
import { EditError } from '../errors.ts';
import { float8ToFloat32 } from '../tensor/float8.ts';
import { bfloat16ToFloat32, float16ToFloat32 } from '../tensor/half.ts';
import { storedItemSizes, type StoredDtype, type StoredTensor, type StoredTensors } from '../tensor/stored-tensor.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { readRange, withFile } from './read-range.ts';
import {
  lengthFieldBytes,
  parseHeader,
  parseHeaderLength,
  type SafetensorsDtype,
  type SafetensorsEntry,
  type SafetensorsHeader,
} from './safetensors-header.ts';

/** A checked file; nothing is kept open. */
export interface SafetensorsFile extends SafetensorsHeader {
  /** Absolute. */
  readonly path: string;
}

const storedDtypes: Partial<Record<SafetensorsDtype, StoredDtype>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F8_E4M3: 'float8_e4m3',
  F8_E5M2: 'float8_e5m2',
};

/**
 * Reads and checks the header of the file at `path`. Throws EditError: 'model-missing' when there is no such
 * file, 'model-damaged' when the header is not JSON, does not match the file, or does not cover all bytes.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const absolute = resolve(path);
  return withFile(absolute, async (handle) => {
    const { size } = await handle.stat();
    const start = await readRange(handle, absolute, 0, Math.min(size, lengthFieldBytes));
    const headerLength = parseHeaderLength(absolute, start, size);
    const header = await readRange(handle, absolute, lengthFieldBytes, headerLength);
    return { path: absolute, ...parseHeader(absolute, header, size) };
  });
}

/** An entry of the file at `path` as a weight; undefined for a dtype that is no floating point of at most 32 bits. */
export function storedTensor(path: string, entry: SafetensorsEntry): StoredTensor | undefined {
  const dtype = storedDtypes[entry.dtype];
  const { dims, byteOffset, byteLength } = entry;
  return dtype && { dtype, dims, file: path, byteOffset, byteLength };
}

/** The weights of a file by name; tensors of other dtypes are left out. */
export function storedTensors({ path, entries }: SafetensorsFile): StoredTensors {
  const stored = [...entries].map(([name, entry]) => [name, storedTensor(path, entry)] as const);
  return new Map(stored.filter((one): one is readonly [string, StoredTensor] => one[1] !== undefined));
}

/** Reads the floating-point tensor `name` (F32, F16, BF16, F8) as float32. Throws EditError('model-damaged'). */
export async function readTensor(file: SafetensorsFile, name: string): Promise<Tensor> {
  const entry = entryOf(file, name);
  const stored = storedTensor(file.path, entry);
  if (stored === undefined) throw wrongDtype(file, name, entry, 'F32, F16, BF16 or F8');
  return readStoredTensor(stored);
}

/** Reads a stored weight as float32. Throws EditError('model-damaged') when the file has shrunk since. */
export async function readStoredTensor(stored: StoredTensor): Promise<Tensor> {
  const bytes = await withFile(stored.file, (handle) =>
    readRange(handle, stored.file, stored.byteOffset, stored.byteLength),
  );
  return tensor(stored.dims, toFloat32(stored.dtype, bytes));
}

/** Reads the whole-number tensor `name` (I32, I64). Throws EditError('model-damaged'), also beyond 2^53. */
export async function readIntegers(
  file: SafetensorsFile,
  name: string,
): Promise<{ readonly dims: readonly number[]; readonly data: readonly number[] }> {
  const entry = entryOf(file, name);
  const { dtype, dims, byteOffset, byteLength } = entry;
  if (dtype !== 'I32' && dtype !== 'I64') throw wrongDtype(file, name, entry, 'I32 or I64');
  const bytes = await withFile(file.path, (handle) => readRange(handle, file.path, byteOffset, byteLength));
  const data =
    dtype === 'I32' ? Array.from(new Int32Array(bytes.buffer)) : Array.from(new BigInt64Array(bytes.buffer), Number);
  if (!data.every(Number.isSafeInteger)) {
    throw new EditError('model-damaged', `${file.path}: tensor "${name}": values must be below 2^53.`);
  }
  return { dims, data };
}

/**
 * Little-endian bytes of weights as float32 values: narrower ones are widened, float32 bytes are viewed where they lie.
 * @param bytes on a boundary of its element type
 * @param target where narrower ones are widened to; made when absent. At least as many values as `bytes` holds.
 */
export function toFloat32(
  dtype: StoredDtype,
  { buffer, byteOffset, byteLength }: Uint8Array,
  target?: Float32Array,
): Float32Array {
  if (dtype === 'float32') return new Float32Array(buffer, byteOffset, byteLength / 4);
  const length = byteLength / storedItemSizes[dtype];
  const floats = target?.subarray(0, length) ?? new Float32Array(length);
  switch (dtype) {
    case 'float16':
      return float16ToFloat32(new Uint16Array(buffer, byteOffset, length), floats);
    case 'bfloat16':
      return bfloat16ToFloat32(new Uint16Array(buffer, byteOffset, length), floats);
    case 'float8_e4m3':
      return float8ToFloat32('e4m3', new Uint8Array(buffer, byteOffset, length), floats);
    case 'float8_e5m2':
      return float8ToFloat32('e5m2', new Uint8Array(buffer, byteOffset, length), floats);
  }
}

function entryOf(file: SafetensorsFile, name: string): SafetensorsEntry {
  const entry = file.entries.get(name);
  if (entry === undefined) {
    throw new EditError('model-damaged', `${file.path}: has no tensor "${name}".`);
  }
  return entry;
}

function wrongDtype(file: SafetensorsFile, name: string, entry: SafetensorsEntry, wanted: string): EditError {
  return new EditError('model-damaged', `${file.path}: tensor "${name}": dtype must be ${wanted}, got ${entry.dtype}.`);
}
