// Writes safetensors files that can be memory-mapped: the data begins on a page, and every tensor whose size
// allows it begins on a 64-byte boundary. A file appears under its name complete or not at all.

import { writeWhole } from '../files/write-whole.ts';
import type { StoredDtype, TensorInfo } from '../tensor/stored-tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { lengthFieldBytes, type SafetensorsDtype } from './safetensors-header.ts';
import { byteLengthOf } from './tensor-source.ts';

/** Data begin at a multiple of this: the page size of every platform that is supported, or a divisor of it. */
const pageBytes = 4096;
/** A cache line, and the widest vector register. */
const alignmentBytes = 64;

const dtypeNames: Readonly<Record<StoredDtype, SafetensorsDtype>> = {
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  float8_e4m3: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
};

/** A file's plan: its first bytes, and the tensors in the order in which their data follow. */
export interface SafetensorsLayout {
  /** Length field and JSON, padded to a multiple of 4096 bytes. */
  readonly head: Uint8Array;
  readonly names: readonly string[];
  /** As given. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Size of the whole file. */
  readonly sizeBytes: number;
}

/** Plans a file. Tensors with a multiple of 64 bytes come first, so that they stay aligned. */
export function layOut(
  tensors: ReadonlyMap<string, TensorInfo>,
  metadata: Readonly<Record<string, string>> = {},
): SafetensorsLayout {
  const infoOf = (name: string) => tensors.get(name) as TensorInfo;
  const bytesOf = (name: string) => byteLengthOf(infoOf(name));
  const isAligned = (name: string) => bytesOf(name) % alignmentBytes === 0;
  const all = [...tensors.keys()];
  const names = [...all.filter(isAligned), ...all.filter((name) => !isAligned(name))];
  let position = 0;
  const entries = names.map((name): [string, object] => {
    const begin = position;
    position += bytesOf(name);
    const { dtype, dims } = infoOf(name);
    return [name, { dtype: dtypeNames[dtype], shape: dims, data_offsets: [begin, position] }];
  });
  const json = JSON.stringify(Object.fromEntries([['__metadata__', metadata], ...entries]));
  const head = frame(json);
  return { head, names, tensors, sizeBytes: head.length + position };
}

/** The length field and `json`, padded with the spaces that the format allows. */
function frame(json: string): Uint8Array {
  const text = new TextEncoder().encode(json);
  const sizeBytes = Math.ceil((lengthFieldBytes + text.length) / pageBytes) * pageBytes;
  const head = new Uint8Array(sizeBytes).fill(' '.charCodeAt(0));
  new DataView(head.buffer).setBigUint64(0, BigInt(sizeBytes - lengthFieldBytes), true);
  head.set(text, lengthFieldBytes);
  return head;
}

/**
 * Writes `tensors` as F32 to `path`, replacing a file that is there. Throws EditError: 'disk-full',
 * 'output-unwritable'.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const infos = new Map([...tensors].map(([name, { dims }]) => [name, { dtype: 'float32', dims } as const]));
  const { head, names } = layOut(infos, metadata);
  await writeWhole(path, async (append) => {
    await append(head);
    for (const name of names) {
      const { buffer, byteOffset, byteLength } = (tensors.get(name) as Tensor).data;
      await append(new Uint8Array(buffer, byteOffset, byteLength));
    }
  });
}
