// ZIP files (PKWARE's APPNOTE.TXT) as the release has them: one disk, no encryption, below 4 GB; stored or deflated.

import { crc32, inflateRawSync } from 'node:zlib';
import { fail, safeName, type ArchivedFile } from './archived-file.ts';

const endSignature = 0x06054b50;
const endBytes = 22;
const entrySignature = 0x02014b50;
const entryBytes = 46;
const localBytes = 30;
const madeByUnix = 3;
const maxCommentBytes = 65_535;

/**
 * The files of a ZIP archive, one after the other. Folders are left out. Throws RangeError when it is damaged, or has a name
 * that leads out of it. `isWanted`: the others are not unpacked.
 */
export function* readZip(
  archive: Uint8Array,
  isWanted: (name: string) => boolean = () => true,
): Generator<ArchivedFile> {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const end = findEnd(bytes);
  const count = bytes.readUInt16LE(end + 10);
  let position = bytes.readUInt32LE(end + 16);
  for (let entry = 0; entry < count; entry++) {
    if (position + entryBytes > end || bytes.readUInt32LE(position) !== entrySignature) fail('its table is damaged');
    const nameBytes = bytes.readUInt16LE(position + 28);
    const name = bytes.toString('utf8', position + entryBytes, position + entryBytes + nameBytes);
    if (!name.endsWith('/') && isWanted(name)) yield readEntry(bytes, position, safeName(name));
    position += entryBytes + nameBytes + bytes.readUInt16LE(position + 30) + bytes.readUInt16LE(position + 32);
  }
}

function findEnd(bytes: Buffer): number {
  const first = Math.max(0, bytes.length - endBytes - maxCommentBytes);
  for (let at = bytes.length - endBytes; at >= first; at--) {
    if (bytes.readUInt32LE(at) === endSignature) return at;
  }
  return fail('it is not a whole ZIP file');
}

function readEntry(bytes: Buffer, position: number, name: string): ArchivedFile {
  const method = bytes.readUInt16LE(position + 10);
  const storedBytes = bytes.readUInt32LE(position + 20);
  const local = bytes.readUInt32LE(position + 42);
  const start = local + localBytes + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
  const stored = bytes.subarray(start, start + storedBytes);
  if (stored.length < storedBytes) fail(`${name} is cut short`);
  if (method !== 0 && method !== 8) fail(`${name} is packed by method ${method}`);
  const data =
    method === 0 ? stored : inflateRawSync(stored, { maxOutputLength: bytes.readUInt32LE(position + 24) || 1 });
  if (crc32(data) !== bytes.readUInt32LE(position + 16)) fail(`${name} is damaged`);
  const mode = bytes[position + 5] === madeByUnix ? (bytes.readUInt32LE(position + 38) >>> 16) & 0o777 : 0o644;
  return { name, mode, data };
}
