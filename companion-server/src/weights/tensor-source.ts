// All weights reach the networks in this way. A source says which tensors it has and where they are. One source may wrap
// another, like a float32 copy, or a source that changes weights before they are used.

import { createHash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { storedItemSizes, type StoredTensors, type TensorInfo } from '../tensor/stored-tensor.ts';
import { sizeOf } from '../tensor/tensor.ts';
import { readInto, translateReadError } from './read-range.ts';

/** The weights of one network. */
export interface TensorSource {
  /** By checkpoint key, the name that the network asks for. Which of them it needs, and in which shape, is not known here. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Another one wherever a value, name or shape may differ: it names copies that are kept. */
  fingerprint(): Promise<string>;
  /** Opens the source for reading. Throws EditError: 'model-missing', 'model-damaged'. */
  open(): Promise<TensorReader>;
  /**
   * The position of every tensor in a file, for networks to map. A source that computes tensors writes them first, all into
   * one folder. Throws CanceledError, EditError: 'disk-full', 'output-unwritable', 'model-damaged'.
   */
  stored(): Promise<StoredTensors>;
}

/** Reads parts of tensors, little-endian as their dtype says. Close it when done. */
export interface TensorReader {
  /** Bytes `start` to `start` + `length` of the tensor `name`, into the start of `target`. Throws EditError('model-damaged'). */
  read(name: string, start: number, length: number, target: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** The size of a tensor's values. */
export function byteLengthOf({ dtype, dims }: TensorInfo): number {
  return sizeOf(dims) * storedItemSizes[dtype];
}

/** Tensors in files: of a folder, of shards, or of one file with its own names. */
export function tensorsInFiles(tensors: StoredTensors): TensorSource {
  return {
    tensors,
    fingerprint: () => fingerprintOf(tensors),
    open: () => Promise.resolve(new FileReader(tensors)),
    stored: () => Promise.resolve(tensors),
  };
}

/** Of the files' paths, sizes and times of change, and of the tensors that are taken from them. */
async function fingerprintOf(tensors: StoredTensors): Promise<string> {
  const hash = createHash('sha256');
  for (const file of new Set([...tensors.values()].map((stored) => stored.file))) {
    const { size, mtimeMs } = await stat(file);
    hash.update(JSON.stringify([file, size, mtimeMs]));
  }
  hash.update(JSON.stringify([...tensors]));
  return hash.digest('hex').slice(0, 32);
}

/** Keeps a file open once it has read from it. */
class FileReader implements TensorReader {
  private readonly tensors: StoredTensors;
  private readonly handles = new Map<string, FileHandle>();

  constructor(tensors: StoredTensors) {
    this.tensors = tensors;
  }

  async read(name: string, start: number, length: number, target: Uint8Array): Promise<void> {
    const stored = this.tensors.get(name);
    if (stored === undefined) throw new TypeError(`There is no tensor ${name} to read.`);
    const { file, byteOffset } = stored;
    await readInto(await this.handle(file), file, byteOffset + start, length, target);
  }

  async close(): Promise<void> {
    await Promise.all([...this.handles.values()].map((handle) => handle.close()));
  }

  private async handle(file: string): Promise<FileHandle> {
    const known = this.handles.get(file);
    if (known !== undefined) return known;
    try {
      const handle = await open(file, 'r');
      this.handles.set(file, handle);
      return handle;
    } catch (error) {
      throw translateReadError(file, error);
    }
  }
}
