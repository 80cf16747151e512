// Which shared libraries an ELF file needs (System V ABI, chapter 5) and which of them the system's loader would not
// find. The loader itself names the first missing one only.

import { execFile } from 'node:child_process';
import { access, open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ldconfigTimeoutMs = 5_000;

/** Folders that the loader always searches. */
const systemFolders = [
  '/lib64',
  '/usr/lib64',
  '/lib',
  '/usr/lib',
  '/lib/x86_64-linux-gnu',
  '/usr/lib/x86_64-linux-gnu',
];

const elf = {
  magic: 0x7f454c46,
  class64: 2,
  littleEndian: 1,
  headerBytes: 64,
  programHeaderBytes: 56,
  load: 1,
  dynamic: 2,
} as const;

/** Tags of the dynamic section. */
const tags = {
  end: 0,
  needed: 1,
  stringTable: 5,
  stringTableBytes: 10,
  rpath: 15,
  runpath: 29,
} as const;

/** More than any real library has; a damaged file must not make us read without end. */
const maxSegments = 1_000;
const maxDynamicBytes = 1 << 20;
const maxStringBytes = 1 << 24;

export interface DynamicSection {
  /** Names of the libraries that must be there, for instance `libcudart.so.13`. */
  readonly needed: readonly string[];
  /** Folders that are searched for them first; `$ORIGIN` is the file's own. */
  readonly searchPath: readonly string[];
}

interface Segment {
  readonly type: number;
  readonly fileOffset: number;
  readonly address: number;
  readonly sizeBytes: number;
}

/** Reads the dynamic section of a 64-bit little-endian ELF file. Throws TypeError for anything else. */
export async function readDynamicSection(file: string): Promise<DynamicSection> {
  const handle = await open(file, 'r');
  try {
    return await parse(handle, file);
  } finally {
    await handle.close();
  }
}

async function parse(handle: FileHandle, file: string): Promise<DynamicSection> {
  const fail = (what: string): never => {
    throw new TypeError(`${file}: ${what}.`);
  };
  const read = async (position: number, sizeBytes: number): Promise<DataView> => {
    const bytes = new Uint8Array(sizeBytes);
    const { bytesRead } = await handle.read(bytes, 0, sizeBytes, position);
    if (bytesRead < sizeBytes) fail(`the file ends before byte ${position + sizeBytes}`);
    return new DataView(bytes.buffer);
  };
  const header = await read(0, elf.headerBytes);
  if (header.getUint32(0) !== elf.magic) fail('it is no ELF file');
  if (header.getUint8(4) !== elf.class64 || header.getUint8(5) !== elf.littleEndian) {
    fail('only 64-bit little-endian ELF files are read');
  }
  const count = header.getUint16(56, true);
  if (count > maxSegments) fail(`it has ${count} segments, at most ${maxSegments} are read`);
  const table = await read(Number(header.getBigUint64(32, true)), count * elf.programHeaderBytes);
  const segments = Array.from({ length: count }, (_, i) => segmentAt(table, i * elf.programHeaderBytes));
  const dynamic = segments.find(({ type }) => type === elf.dynamic);
  if (dynamic === undefined) return { needed: [], searchPath: [] };
  if (dynamic.sizeBytes > maxDynamicBytes) fail('its dynamic section is too long');
  const entries = entriesOf(await read(dynamic.fileOffset, dynamic.sizeBytes));
  const valueOf = (tag: number) => entries.find((entry) => entry.tag === tag)?.value ?? 0;
  const stringBytes = valueOf(tags.stringTableBytes);
  if (stringBytes > maxStringBytes) fail('its table of names is too long');
  const strings = await read(fileOffsetOf(valueOf(tags.stringTable), segments), stringBytes);
  const textsOf = (tag: number) =>
    entries.filter((entry) => entry.tag === tag).map(({ value }) => textAt(strings, value));
  const searchPath = [...textsOf(tags.runpath), ...textsOf(tags.rpath)].flatMap((text) => text.split(':'));
  return { needed: textsOf(tags.needed), searchPath };
}

function segmentAt(table: DataView, at: number): Segment {
  return {
    type: table.getUint32(at, true),
    fileOffset: Number(table.getBigUint64(at + 8, true)),
    address: Number(table.getBigUint64(at + 16, true)),
    sizeBytes: Number(table.getBigUint64(at + 32, true)),
  };
}

function entriesOf(section: DataView): readonly { readonly tag: number; readonly value: number }[] {
  const entries = [];
  for (let at = 0; at + 16 <= section.byteLength; at += 16) {
    const tag = Number(section.getBigInt64(at, true));
    if (tag === tags.end) break;
    entries.push({ tag, value: Number(section.getBigUint64(at + 8, true)) });
  }
  return entries;
}

/** Where an address of the loaded library is in the file. */
function fileOffsetOf(address: number, segments: readonly Segment[]): number {
  const segment = segments.find(
    ({ type, address: start, sizeBytes }) => type === elf.load && address >= start && address < start + sizeBytes,
  );
  return segment === undefined ? address : address - segment.address + segment.fileOffset;
}

function textAt(strings: DataView, at: number): string {
  const bytes = new Uint8Array(strings.buffer).subarray(at);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/**
 * The libraries that `file` needs and that the loader does not find: not in the folders that the file names, not in
 * LD_LIBRARY_PATH, not in the loader's cache (`ldconfig -p`), not in the system's folders. Needs of needs are not
 * followed. Throws as readDynamicSection does.
 */
export async function missingLibraries(file: string, libraryPath = process.env['LD_LIBRARY_PATH']): Promise<string[]> {
  const { needed, searchPath } = await readDynamicSection(file);
  const origin = path.dirname(file);
  const own = searchPath.map((folder) => folder.replaceAll(/\$\{?ORIGIN\}?/g, origin));
  const folders = [...own, ...(libraryPath ?? '').split(':'), ...systemFolders].filter((folder) => folder !== '');
  const cached = await cachedLibraries();
  const isFound = async (name: string) =>
    cached.has(name) || (await Promise.all(folders.map((folder) => exists(path.join(folder, name))))).includes(true);
  const found = await Promise.all(needed.map(isFound));
  return needed.filter((_, i) => found[i] !== true);
}

/** Names in the loader's cache; none on a system without ldconfig, where the folders decide. */
async function cachedLibraries(): Promise<ReadonlySet<string>> {
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/sbin:/usr/sbin` };
  const { stdout } = await run('ldconfig', ['-p'], {
    env,
    timeout: ldconfigTimeoutMs,
    maxBuffer: 1 << 24,
  }).catch(() => ({ stdout: '' }));
  return new Set(stdout.split('\n').map((line) => /^\s+(\S+) \(/.exec(line)?.[1] ?? ''));
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
