// Files -> the archive that users download: .zip for Windows and macOS, .tar.gz for Linux.

import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Zip, ZipDeflate } from 'fflate';
import type { ArchivedFile } from '../../companion-server/src/archives/archived-file.ts';
import { writeTar } from '../../companion-server/src/archives/tar.ts';

/** The first time that a ZIP can hold: the same files give the same bytes. */
const mtime = new Date(1980, 0, 1);
const level = 9;

/** Writes `files` below a folder `name` of the archive at `out`, a path that ends in `.zip` or `.tar.gz`. Throws an Error for two names that differ in case only. */
export async function packArchive(files: readonly ArchivedFile[], name: string, out: string): Promise<void> {
  refuseTwins(files);
  const inside = files.map((file) => ({ ...file, name: `${name}/${file.name}` }));
  if (out.endsWith('.zip')) {
    await pipeline(Readable.from(zipPieces(inside)), createWriteStream(out));
    return;
  }
  await pipeline(Readable.from(writeTar(inside)), createGzip({ level }), createWriteStream(out));
}

/** Throws an Error when two names differ in case only: Windows and macOS take them for one. */
function refuseTwins(files: readonly ArchivedFile[]): void {
  const known = new Map<string, string>();
  for (const { name } of files) {
    const other = known.get(name.toLowerCase());
    if (other !== undefined) throw new Error(`${name} and ${other} differ in case only.`);
    known.set(name.toLowerCase(), name);
  }
}

/** One file at a time, so that no more than its packed bytes wait to be written. */
function* zipPieces(files: readonly ArchivedFile[]): Generator<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const zip = new Zip((error, piece) => {
    if (error !== null) throw error;
    pieces.push(piece);
  });
  for (const { name, mode, data } of files) {
    const entry = new ZipDeflate(name, { level });
    entry.mtime = mtime;
    // Made by Unix, a regular file.
    entry.os = 3;
    entry.attrs = ((0o100000 | mode) << 16) >>> 0;
    zip.add(entry);
    entry.push(data, true);
    yield* pieces.splice(0);
  }
  zip.end();
  yield* pieces.splice(0);
}
