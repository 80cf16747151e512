// The program's own folder: a folder for each version, and a file that names the one in use. A version is complete before it is
// named, and the name changes in one step.

import { randomBytes } from 'node:crypto';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { ArchivedFile } from '../archives/archived-file.ts';
import { readTar } from '../archives/tar.ts';
import { readZip } from '../archives/zip.ts';
import { EditError } from '../errors.ts';
import { explainingDisk, isMissing } from '../files/disk-error.ts';
import { writeWhole } from '../files/write-whole.ts';
import { readRelease, type Release } from '../release.ts';
import type { Places } from './places.ts';
import { runTool } from './run-tool.ts';

/** What is being copied begins with this; a copy that was interrupted is removed by the next one. */
const incomingPrefix = 'incoming-';

/** The release that is in use; null when none is installed, or what was installed is not there any more. */
export async function installedRelease({ versionsDir, currentFile }: Places): Promise<Release | null> {
  const name = await readFile(currentFile, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  return name === null ? null : readRelease(path.join(versionsDir, name.trim()));
}

/** Copies a release to its place, without using it yet. Returns the copy. Throws EditError as `explainingDisk` does. */
export async function copyRelease(release: Release, places: Places): Promise<Release> {
  if (path.dirname(release.folder) === places.versionsDir) return release;
  return addVersion(places, release.version, (folder) =>
    cp(release.folder, folder, { recursive: true, preserveTimestamps: true }),
  );
}

/**
 * Unpacks a downloaded archive, .zip or .tar.gz, to its place, without using it yet. Throws EditError 'invalid-request' when it is
 * no archive of this program for this system, and as `explainingDisk` does.
 */
export async function unpackRelease(archive: string, target: string, places: Places): Promise<Release> {
  const files = readArchive(await readArchiveFile(archive), archive);
  const [first] = files;
  const top = first === undefined ? '' : first.name.slice(0, first.name.indexOf('/') + 1);
  const description = files.find(({ name }) => name === `${top}app/release.json`);
  if (description === undefined) throw refused(`${archive} is no archive of TokenFlow.`);
  const found = JSON.parse(Buffer.from(description.data).toString('utf8')) as Omit<Release, 'folder'>;
  if (found.target !== target) {
    throw refused(`${archive} is for ${found.target}; this is ${target}.`);
  }
  return addVersion(places, found.version, async (folder) => {
    for (const { name, mode, data } of files) {
      const file = path.join(folder, ...name.slice(top.length).split('/'));
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, data, { mode });
    }
  });
}

async function readArchiveFile(archive: string): Promise<Buffer> {
  return readFile(archive).catch((error: unknown) => {
    if (isMissing(error)) throw refused(`There is no file ${archive}.`);
    throw error;
  });
}

function readArchive(bytes: Buffer, name: string): readonly ArchivedFile[] {
  try {
    // The first two bytes of gzip (RFC 1952).
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return isGzip ? readTar(gunzipSync(bytes)) : [...readZip(bytes)];
  } catch (error) {
    throw refused(`${name} cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function refused(message: string): EditError {
  return new EditError('invalid-request', message, { hint: 'Download the archive for this system again.' });
}

async function addVersion(
  { versionsDir, platform }: Places,
  version: string,
  fill: (folder: string) => Promise<void>,
): Promise<Release> {
  const id = `${version}-${randomBytes(4).toString('hex')}`;
  const incoming = path.join(versionsDir, `${incomingPrefix}${id}`);
  const folder = path.join(versionsDir, id);
  try {
    await explainingDisk(versionsDir, {}, async () => {
      await mkdir(versionsDir, { recursive: true });
      await fill(incoming);
      await rename(incoming, folder);
    });
  } catch (error) {
    await rm(incoming, { recursive: true, force: true });
    throw error;
  }
  // What a browser has downloaded macOS asks about, program by program. The user has answered by starting this one.
  if (platform === 'darwin') await runTool('xattr', ['-dr', 'com.apple.quarantine', folder]);
  const copied = readRelease(folder);
  if (copied === null) throw refused(`${folder} is not complete.`);
  return copied;
}

/** From now on `release`, a result of `copyRelease` or `unpackRelease`, is the version in use. */
export async function useVersion(release: Release, { currentFile }: Places): Promise<void> {
  await writeWhole(currentFile, `${path.basename(release.folder)}\n`);
  await chmod(currentFile, 0o644);
}

/**
 * Removes what is not in use. On Windows the files of a running program cannot be removed: they stay until the next time.
 * Never throws for them.
 */
export async function removeOtherVersions(places: Places): Promise<void> {
  const used = await installedRelease(places);
  const found = await readdir(places.versionsDir).catch(() => []);
  for (const name of found) {
    const folder = path.join(places.versionsDir, name);
    if (folder !== used?.folder) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
