// A folder of golden data: a checkpoint's parts and what the reference implementation computed with them.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Execution } from '../../companion-server/src/onnx/execution.ts';
import type { createSession } from '../../companion-server/src/onnx/session.ts';
import type { StoredTensors } from '../../companion-server/src/tensor/stored-tensor.ts';
import type { Tensor } from '../../companion-server/src/tensor/tensor.ts';
import { float32Copy } from '../../companion-server/src/weights/float32-copy.ts';
import type { TensorSource } from '../../companion-server/src/weights/tensor-source.ts';
import {
  openSafetensors,
  readIntegers,
  readTensor,
  type SafetensorsFile,
} from '../../companion-server/src/weights/safetensors.ts';

/** Where and how a comparison runs. */
export interface GoldenRun {
  readonly execution: Execution;
  readonly cacheDir: string;
  /** How a graph is loaded, by default anew each time. */
  readonly createSession?: typeof createSession;
  /** Compares only what begins with this; everything when left out. */
  readonly only?: string;
}

/** golden.safetensors, or another file of the folder: tensors by name and the metadata that they were made with. */
export class GoldenFile {
  private readonly file: SafetensorsFile;
  private readonly only: string;

  private constructor(file: SafetensorsFile, only: string) {
    this.file = file;
    this.only = only;
  }

  /** Only tensors whose names begin with `only` are compared; all of them can be read. */
  static async open(dir: string, only = '', name = 'golden.safetensors'): Promise<GoldenFile> {
    return new GoldenFile(await openSafetensors(path.join(dir, name)), only);
  }

  /** Of the tensors to compare. */
  get names(): readonly string[] {
    return [...this.file.entries.keys()].filter((name) => name.startsWith(this.only));
  }

  /** Whether a tensor whose name begins with `prefix` is to be compared. */
  compares(prefix: string): boolean {
    return this.names.some((name) => name.startsWith(prefix));
  }

  has(name: string): boolean {
    return this.file.entries.has(name);
  }

  read(name: string): Promise<Tensor> {
    return readTensor(this.file, name);
  }

  integers(name: string): ReturnType<typeof readIntegers> {
    return readIntegers(this.file, name);
  }

  /** A text of the metadata. Throws TypeError when it is missing. */
  text(key: string): string {
    const value = this.file.metadata.get(key);
    if (value === undefined) throw new TypeError(`${this.file.path}: metadata has no ${key}.`);
    return value;
  }

  /** A number of the metadata. Throws TypeError when it is missing. */
  number(key: string): number {
    const value = Number(this.file.metadata.get(key));
    if (!Number.isFinite(value)) throw new TypeError(`${this.file.path}: metadata has no number ${key}.`);
    return value;
  }
}

/** Weights as the execution needs them. */
export async function weightsFor(weights: TensorSource, run: GoldenRun): Promise<StoredTensors> {
  return (run.execution.float === 'float32' ? float32Copy(weights, run.cacheDir) : weights).stored();
}

export async function readJson(...parts: readonly string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path.join(...parts), 'utf8')) as Record<string, unknown>;
}

export function holds(dir: string, ...parts: readonly string[]): boolean {
  return existsSync(path.join(dir, ...parts));
}
