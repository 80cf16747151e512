// The header of a safetensors file (https://github.com/huggingface/safetensors#format): eight bytes of length, JSON,
// then the data. Nothing in it is believed before it was held against the file's size. Pure; no file is read here.

import { EditError } from '../errors.ts';
import { findDuplicateKey } from './duplicate-key.ts';

/** Bytes per element of the element types that the format knows. */
export const itemSizes = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;

export type SafetensorsDtype = keyof typeof itemSizes;

/** One tensor of a file: what it is and where its bytes lie, counted from the start of the file. */
export interface SafetensorsEntry {
  readonly dtype: SafetensorsDtype;
  readonly dims: readonly number[];
  readonly byteOffset: number;
  readonly byteLength: number;
}

export interface SafetensorsHeader {
  /** In the order of the data. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The length field before the JSON. */
export const lengthFieldBytes = 8;
/** Longest JSON that is read, as in the reference implementation. */
const maxHeaderBytes = 100_000_000;

const damagedHint = 'The file is damaged or was not downloaded whole; download it again.';

/**
 * The length of the JSON, from the file's first bytes.
 * @param start at least the first 8 bytes of the file, all of it when it is shorter
 * Throws EditError('model-damaged').
 */
export function parseHeaderLength(path: string, start: Uint8Array, fileSize: number): number {
  if (new TextDecoder().decode(start).startsWith('version ')) {
    throw new EditError('model-damaged', `${path}: is a Git LFS pointer, not the file itself.`, {
      hint: 'Run "git lfs pull" in the folder of the checkpoint, or download the file.',
    });
  }
  if (start.length < lengthFieldBytes) {
    throw damaged(path, `needs at least ${lengthFieldBytes} bytes, has ${start.length}`);
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length < 2n || length > BigInt(maxHeaderBytes)) {
    throw damaged(path, `header length must be in 2..${maxHeaderBytes} bytes, says ${length.toString()}`);
  }
  if (length > BigInt(fileSize - lengthFieldBytes)) {
    throw damaged(path, `header of ${length.toString()} bytes does not fit a file of ${fileSize} bytes`);
  }
  return Number(length);
}

/**
 * Reads and checks the JSON against the size of the file: known dtypes, whole dims, sizes that agree, data that
 * is covered exactly once. Throws EditError('model-damaged') with file, tensor, rule and value.
 * @param path for messages only
 */
export function parseHeader(path: string, header: Uint8Array, fileSize: number): SafetensorsHeader {
  const dataStart = lengthFieldBytes + header.length;
  const raw = parseJson(path, header);
  const metadata = new Map<string, string>();
  const entries: [string, SafetensorsEntry][] = [];
  for (const [name, value] of Object.entries(raw)) {
    if (name === '__metadata__') readMetadata(path, value, metadata);
    else entries.push([name, parseEntry(path, name, value, dataStart)]);
  }
  entries.sort(([, a], [, b]) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength);
  checkCoverage(path, entries, dataStart, fileSize);
  return { entries: new Map(entries), metadata };
}

function parseJson(path: string, header: Uint8Array): Record<string, unknown> {
  if (header[0] !== '{'.charCodeAt(0)) {
    throw damaged(path, `header must begin with "{", begins with byte ${header[0] ?? 'none'}`);
  }
  let text: string;
  let json: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
    json = JSON.parse(text);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw damaged(path, `header must be JSON in UTF-8: ${cause}`, error);
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) throw damaged(path, `header has the name ${quote(duplicate)} twice`);
  return json as Record<string, unknown>;
}

function readMetadata(path: string, value: unknown, metadata: Map<string, string>): void {
  if (!isRecord(value)) throw damaged(path, '__metadata__ must be an object of texts');
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      throw damaged(path, `__metadata__.${key} must be a text, got ${quote(text)}`);
    }
    metadata.set(key, text);
  }
}

function parseEntry(path: string, name: string, value: unknown, dataStart: number): SafetensorsEntry {
  const fail = (rule: string, got: unknown) => damaged(path, `tensor ${quote(name)}: ${rule}, got ${quote(got)}`);
  if (!isRecord(value)) throw fail('entry must be an object', value);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype)) throw fail(`dtype must be one of ${Object.keys(itemSizes).join(', ')}`, dtype);
  if (!isWholeNumbers(shape)) throw fail('shape must be a list of whole numbers', shape);
  if (!isWholeNumbers(offsets) || offsets.length !== 2) {
    throw fail('data_offsets must be two whole numbers', offsets);
  }
  const [begin = 0, end = 0] = offsets;
  if (begin > end) throw fail('data_offsets must not run backwards', offsets);
  let byteLength: number = itemSizes[dtype];
  for (const dim of shape) {
    byteLength *= dim;
    if (!Number.isSafeInteger(byteLength)) throw fail('shape must not overflow', shape);
  }
  if (end - begin !== byteLength) {
    throw fail(`${dtype} [${shape.join(', ')}] takes ${byteLength} bytes`, offsets);
  }
  if (!Number.isSafeInteger(dataStart + end)) throw fail('data_offsets must not overflow', offsets);
  return { dtype, dims: shape, byteOffset: dataStart + begin, byteLength };
}

/** Each tensor begins where the one before it ends, and the last ends with the file. */
function checkCoverage(
  path: string,
  entries: readonly (readonly [string, SafetensorsEntry])[],
  dataStart: number,
  fileSize: number,
): void {
  let position = dataStart;
  for (const [name, { byteOffset, byteLength }] of entries) {
    if (byteOffset !== position) {
      const fault = byteOffset < position ? 'overlaps the tensor before it' : 'leaves a hole before it';
      const at = `byte ${byteOffset - dataStart} of the data, expected ${position - dataStart}`;
      throw damaged(path, `tensor ${quote(name)}: ${fault}: begins at ${at}`);
    }
    position += byteLength;
    if (position > fileSize) {
      throw damaged(path, `tensor ${quote(name)}: ends at byte ${position}, the file has ${fileSize} bytes`);
    }
  }
  if (position !== fileSize) {
    throw damaged(path, `has ${fileSize - position} bytes that belong to no tensor`);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDtype(value: unknown): value is SafetensorsDtype {
  return typeof value === 'string' && Object.hasOwn(itemSizes, value);
}

function isWholeNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && (item as number) >= 0);
}

function quote(value: unknown): string {
  const text = (JSON.stringify(value) as string | undefined) ?? 'nothing';
  return text.length > 120 ? `${text.slice(0, 120)}...` : text;
}

function damaged(path: string, fault: string, cause?: unknown): EditError {
  return new EditError('model-damaged', `${path}: ${fault}.`, { hint: damagedHint, cause });
}
