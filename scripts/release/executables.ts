// Makes ELF programs smaller: without the sections that only debuggers and linkers read.

/** Offsets in the header of a 64-bit, little-endian ELF file (System V gABI, chapter 4). */
const header = {
  programHeaders: 32,
  sectionHeaders: 40,
  programHeaderBytes: 54,
  programHeaderCount: 56,
  sectionCount: 60,
  sectionNames: 62,
};
const programHeader = { offset: 8, fileBytes: 32 };
const isElf64LittleEndian = (file: Buffer): boolean =>
  file.subarray(0, 6).equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]));

/**
 * The same program without symbols and debugging information. The system loads what the program headers name, and these parts
 * keep their places; everything behind them goes, with the table of sections. Other files are returned as they are.
 */
export function withoutSymbols(file: Uint8Array): Uint8Array {
  const bytes = Buffer.from(file);
  if (!isElf64LittleEndian(bytes)) return file;
  const first = Number(bytes.readBigUInt64LE(header.programHeaders));
  const each = bytes.readUInt16LE(header.programHeaderBytes);
  const count = bytes.readUInt16LE(header.programHeaderCount);
  let end = first + each * count;
  for (let index = 0; index < count; index++) {
    const at = first + each * index;
    const offset = Number(bytes.readBigUInt64LE(at + programHeader.offset));
    end = Math.max(end, offset + Number(bytes.readBigUInt64LE(at + programHeader.fileBytes)));
  }
  bytes.writeBigUInt64LE(0n, header.sectionHeaders);
  bytes.writeUInt16LE(0, header.sectionCount);
  bytes.writeUInt16LE(0, header.sectionNames);
  return bytes.subarray(0, end);
}
