import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { expect, onTestFinished, test } from 'vitest';
import { writeTar } from '../archives/tar.ts';
import { readRelease } from '../release.ts';
import { placesOf, type Places } from './places.ts';
import { copyRelease, installedRelease, removeOtherVersions, unpackRelease, useVersion } from './program-files.ts';

interface Fixture {
  readonly folder: string;
  readonly places: Places;
}

async function createFixture(): Promise<Fixture> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tokenflow program ü'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return { folder, places: placesOf({}, 'linux', path.join(folder, 'home')) };
}

const description = (version: string, target = 'linux-x64') => JSON.stringify({ version, target });

function tarOf(version: string, target?: string): Buffer {
  const files = [
    { name: 'TokenFlow/app/release.json', mode: 0o644, data: Buffer.from(description(version, target)) },
    { name: 'TokenFlow/tokenflow', mode: 0o755, data: Buffer.from('#!/bin/sh\n') },
  ];
  return gzipSync(Buffer.concat([...writeTar(files)]));
}

async function archive({ folder }: Fixture, bytes: Uint8Array): Promise<string> {
  const file = path.join(folder, 'archive');
  await writeFile(file, bytes);
  return file;
}

const versionsIn = ({ places }: Fixture): Promise<string[]> => readdir(places.versionsDir).catch(() => []);

test('an archive is unpacked beside the version in use, which stays in use until it is exchanged', async () => {
  const fixture = await createFixture();
  const { places } = fixture;
  const old = await unpackRelease(await archive(fixture, tarOf('1.0.0')), 'linux-x64', places);
  await useVersion(old, places);
  const next = await unpackRelease(await archive(fixture, tarOf('2.0.0')), 'linux-x64', places);
  expect(await installedRelease(places)).toEqual(old);
  await useVersion(next, places);
  expect(await installedRelease(places)).toMatchObject({ version: '2.0.0' });
  expect((await stat(path.join(next.folder, 'tokenflow'))).mode & 0o777).toBe(0o755);
  await removeOtherVersions(places);
  expect(await versionsIn(fixture)).toEqual([path.basename(next.folder)]);
});

test('a ZIP is unpacked as well, with its permissions', async () => {
  const fixture = await createFixture();
  const zip = zipSync({
    'TokenFlow/app/release.json': Buffer.from(description('1.0.0', 'mac-arm64')),
    'TokenFlow/tokenflow': [Buffer.from('#!/bin/sh\n'), { os: 3, attrs: (0o100755 << 16) >>> 0 }],
  });
  const unpacked = await unpackRelease(await archive(fixture, zip), 'mac-arm64', fixture.places);
  expect((await stat(path.join(unpacked.folder, 'tokenflow'))).mode & 0o777).toBe(0o755);
});

test.each([
  ['of another system', tarOf('1.0.0', 'win-x64'), /is for win-x64; this is linux-x64/],
  [
    'of another program',
    gzipSync(Buffer.concat([...writeTar([{ name: 'a/b', mode: 0o644, data: Buffer.alloc(1) }])])),
    /no archive of TokenFlow/,
  ],
  ['cut short', tarOf('1.0.0').subarray(0, 60), /cannot be unpacked/],
  ['of no kind', Buffer.from('a text'), /cannot be unpacked/],
])('an archive %s is refused, and leaves nothing', async (_which, bytes, message) => {
  const fixture = await createFixture();
  await expect(unpackRelease(await archive(fixture, bytes), 'linux-x64', fixture.places)).rejects.toThrow(message);
  expect(await versionsIn(fixture)).toEqual([]);
});

test('an archive that is not there is named', async () => {
  const { folder, places } = await createFixture();
  await expect(unpackRelease(path.join(folder, 'none'), 'linux-x64', places)).rejects.toThrow(
    /There is no file .*none/,
  );
});

test('a folder is copied, and can be deleted then; a version in its place is not copied again', async () => {
  const { folder, places } = await createFixture();
  const download = path.join(folder, 'Downloads', 'TokenFlow');
  await mkdir(path.join(download, 'app'), { recursive: true });
  await writeFile(path.join(download, 'app', 'release.json'), description('1.0.0'));
  const release = readRelease(download);
  if (release === null) throw new Error('The release is not there.');
  const copied = await copyRelease(release, places);
  await rm(download, { recursive: true });
  expect(await readFile(path.join(copied.folder, 'app', 'release.json'), 'utf8')).toBe(description('1.0.0'));
  expect(await copyRelease(copied, places)).toBe(copied);
});

test('where nothing is installed, or the version in use has been deleted, there is none', async () => {
  const fixture = await createFixture();
  const { places } = fixture;
  expect(await installedRelease(places)).toBeNull();
  const release = await unpackRelease(await archive(fixture, tarOf('1.0.0')), 'linux-x64', places);
  await useVersion(release, places);
  await rm(release.folder, { recursive: true });
  expect(await installedRelease(places)).toBeNull();
});
