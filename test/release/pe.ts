// Reads for which processor a program or library of Windows is (Microsoft's "PE Format", COFF file header), and which libraries
// it wants to be loaded with it.

const processors: Readonly<Record<number, string>> = { 0x8664: 'x64', 0xaa64: 'arm64' };
/** In the MS-DOS header: where the signature `PE` is. */
const signatureField = 0x3c;
const coffHeaderBytes = 24;
const sectionHeaderBytes = 40;
const importEntryBytes = 20;
/** PE32+: where the directories are in the optional header, and the second of them is that of imports. */
const importDirectory = 112 + 8;

export interface PortableExecutable {
  /** `x64`, `arm64`, or the number of another one. */
  readonly processor: string;
  /** Names of libraries, in lower case, for example `kernel32.dll`. Without those that are loaded when they are first used. */
  readonly libraries: readonly string[];
}

/** Null for a file that is no 64-bit program of Windows. */
export function readPortableExecutable(data: Uint8Array): PortableExecutable | null {
  const file = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (file.length < signatureField + 4 || file.toString('latin1', 0, 2) !== 'MZ') return null;
  const header = file.readUInt32LE(signatureField);
  if (file.toString('latin1', header, header + 4) !== 'PE\0\0') return null;
  const machine = file.readUInt16LE(header + 4);
  const optional = header + coffHeaderBytes;
  if (file.readUInt16LE(optional) !== 0x20b) return null;
  const sections = optional + file.readUInt16LE(header + 20);

  /** Addresses are those in memory; sections say where in the file they are. */
  const offsetOf = (address: number): number => {
    for (let index = 0; index < file.readUInt16LE(header + 6); index++) {
      const at = sections + index * sectionHeaderBytes;
      const [start, size, from] = [12, 16, 20].map((field) => file.readUInt32LE(at + field)) as [
        number,
        number,
        number,
      ];
      if (address >= start && address < start + size) return address - start + from;
    }
    throw new Error(`The address ${address} is in no section.`);
  };

  const libraries: string[] = [];
  const imports = file.readUInt32LE(optional + importDirectory);
  for (let at = imports === 0 ? 0 : offsetOf(imports); at > 0; at += importEntryBytes) {
    const name = file.readUInt32LE(at + 12);
    if (name === 0) break;
    const start = offsetOf(name);
    libraries.push(file.toString('latin1', start, file.indexOf(0, start)).toLowerCase());
  }
  return { processor: processors[machine] ?? String(machine), libraries };
}
