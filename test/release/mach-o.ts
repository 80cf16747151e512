// Reads what macOS needs to know of a program or library before it loads it (Apple's <mach-o/loader.h>): for which processor and
// system it is, which libraries it wants, and whether it has a signature.

const headerBytes = 32;
const magic64 = 0xfeedfacf;
const processorArm64 = 0x0100000c;
const commands = {
  loadLibrary: 0xc,
  loadWeakLibrary: 0x80000018,
  reexportLibrary: 0x8000001f,
  signature: 0x1d,
  searchPath: 0x8000001c,
  leastVersion: 0x24,
  buildVersion: 0x32,
} as const;
const libraryCommands: readonly number[] = [commands.loadLibrary, commands.loadWeakLibrary, commands.reexportLibrary];

export interface MachO {
  readonly isArm64: boolean;
  /** An arm64 Mac runs no program without one; that of the linker (ad hoc) is enough. */
  readonly isSigned: boolean;
  /** Install names, for example `@rpath/libonnxruntime.1.dylib`. */
  readonly libraries: readonly string[];
  /** Where `@rpath` is looked for, in this order. */
  readonly searchPaths: readonly string[];
  /** The oldest macOS, for example `11.0`; null when the file does not say it. */
  readonly leastSystem: string | null;
}

/** Null for a file that is no 64-bit Mach-O file of one processor. */
export function readMachO(data: Uint8Array): MachO | null {
  const file = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (file.length < headerBytes || file.readUInt32LE(0) !== magic64) return null;
  const libraries: string[] = [];
  const searchPaths: string[] = [];
  let isSigned = false;
  let leastSystem: string | null = null;
  const textAt = (start: number, end: number): string => {
    const bytes = file.subarray(start + file.readUInt32LE(start + 8), end);
    return bytes.subarray(0, bytes.indexOf(0)).toString('utf8');
  };
  let at = headerBytes;
  for (let index = 0; index < file.readUInt32LE(16); index++) {
    const [kind, end] = [file.readUInt32LE(at), at + file.readUInt32LE(at + 4)];
    if (libraryCommands.includes(kind)) libraries.push(textAt(at, end));
    if (kind === commands.searchPath) searchPaths.push(textAt(at, end));
    if (kind === commands.signature) isSigned = file.readUInt32LE(at + 12) > 0;
    if (kind === commands.leastVersion) leastSystem = versionOf(file.readUInt32LE(at + 8));
    if (kind === commands.buildVersion) leastSystem = versionOf(file.readUInt32LE(at + 12));
    at = end;
  }
  return { isArm64: file.readUInt32LE(4) === processorArm64, isSigned, libraries, searchPaths, leastSystem };
}

/** `xxxx.yy.zz` in nibbles. */
function versionOf(packed: number): string {
  return `${packed >>> 16}.${(packed >>> 8) & 0xff}`;
}
