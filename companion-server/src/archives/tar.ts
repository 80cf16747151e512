// TAR files (POSIX.1-2001, "ustar" with extended headers for long names): read and written whole, in memory.

import { fail, safeName, type ArchivedFile } from './archived-file.ts';

const blockBytes = 512;

/** The files of a TAR archive. Folders are left out. Throws RangeError when it is damaged, or has a link or a name that leads out of it. */
export function readTar(archive: Uint8Array): ArchivedFile[] {
  const files: ArchivedFile[] = [];
  let position = 0;
  let longName: string | undefined;
  while (position + blockBytes <= archive.length) {
    const header = archive.subarray(position, position + blockBytes);
    if (header[0] === 0) break;
    const sizeBytes = octal(header, 124, 12);
    const data = archive.subarray(position + blockBytes, position + blockBytes + sizeBytes);
    if (data.length < sizeBytes) fail('the archive ends in the middle of a file');
    position += blockBytes + Math.ceil(sizeBytes / blockBytes) * blockBytes;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === 'x' || type === 'g') {
      if (type === 'x') longName = pathOf(text(data, 0, data.length));
      continue;
    }
    const prefix = text(header, 345, 155);
    const name = longName ?? `${prefix === '' ? '' : `${prefix}/`}${text(header, 0, 100)}`;
    longName = undefined;
    if (type === '5') continue;
    if (type !== '0' && type !== '\0') fail(`${name} is neither a file nor a folder`);
    files.push({ name: safeName(name), mode: octal(header, 100, 8) & 0o777, data });
  }
  return files;
}

/** The pieces of a TAR archive, in order. The same files give the same bytes: times and owners are zero. */
export function* writeTar(files: Iterable<ArchivedFile>): Generator<Uint8Array> {
  for (const { name, mode, data } of files) {
    const encoded = Buffer.from(name);
    if (encoded.length > 100) {
      const record = paxRecord('path', name);
      yield header('extended-header', 0o644, record.length, 'x');
      yield* padded(record);
    }
    yield header(encoded.subarray(0, 100).toString('latin1'), mode, data.length, '0');
    yield* padded(data);
  }
  yield new Uint8Array(2 * blockBytes);
}

function* padded(data: Uint8Array): Generator<Uint8Array> {
  yield data;
  const rest = data.length % blockBytes;
  if (rest > 0) yield new Uint8Array(blockBytes - rest);
}

/** `name` as bytes of Latin-1. */
function header(name: string, mode: number, sizeBytes: number, type: '0' | 'x'): Uint8Array {
  const block = Buffer.alloc(blockBytes);
  block.write(name, 0, 'latin1');
  const number = (value: number, at: number, length: number): void => {
    block.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1');
  };
  number(mode, 100, 8);
  number(0, 108, 8);
  number(0, 116, 8);
  number(sizeBytes, 124, 12);
  number(0, 136, 12);
  block.write(type, 156, 'latin1');
  block.write('ustar\0' + '00', 257, 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** `LENGTH key=value\n`, where LENGTH counts the record with itself. */
function paxRecord(key: string, value: string): Uint8Array {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function pathOf(records: string): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(records)?.[1];
}

function octal(block: Uint8Array, at: number, length: number): number {
  const digits = text(block, at, length).trim();
  if (!/^[0-7]*$/.test(digits)) fail(`a header has '${digits}' where a number must be`);
  return digits === '' ? 0 : parseInt(digits, 8);
}

/** Up to the first zero. */
function text(block: Uint8Array, at: number, length: number): string {
  const bytes = Buffer.from(block.buffer, block.byteOffset + at, length);
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? length : end);
}
