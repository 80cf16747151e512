import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync, gunzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { expect, onTestFinished, test } from 'vitest';
import type { ArchivedFile } from './archived-file.ts';
import { readTar, writeTar } from './tar.ts';
import { readZip } from './zip.ts';

const longName = `${'folder-'.repeat(20)}/übung.txt`;
const files: readonly ArchivedFile[] = [
  { name: 'TokenFlow/tokenflow', mode: 0o755, data: Buffer.from('#!/bin/sh\n') },
  { name: 'TokenFlow/empty', mode: 0o644, data: Buffer.alloc(0) },
  { name: `TokenFlow/${longName}`, mode: 0o644, data: Buffer.alloc(1_000, 'x') },
];
const plain = (list: Iterable<ArchivedFile>) =>
  [...list].map(({ data, ...rest }) => ({ ...rest, data: Buffer.from(data) }));
const tarOf = (list: readonly ArchivedFile[]): Buffer => Buffer.concat([...writeTar(list)]);

function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tokenflow-archives-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a TAR gives back names, permissions and bytes', () => {
  expect(plain(readTar(tarOf(files)))).toEqual(plain(files));
});

test("the system's tar unpacks what is written, with long names and permissions", () => {
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, 'a.tar.gz'), gzipSync(tarOf(files)));
  execFileSync('tar', ['-xzf', 'a.tar.gz'], { cwd: folder });
  for (const { name, mode, data } of files) {
    const file = path.join(folder, name);
    expect(readFileSync(file)).toEqual(data);
    expect(statSync(file).mode & 0o777).toBe(mode);
  }
});

test("what the system's tar packs is read", () => {
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, path.dirname(longName)), { recursive: true });
  writeFileSync(path.join(folder, longName), 'text');
  execFileSync('tar', ['-czf', 'a.tgz', '--format=posix', path.dirname(longName)], { cwd: folder });
  const read = readTar(gunzipSync(readFileSync(path.join(folder, 'a.tgz'))));
  expect(read.map(({ name, data }) => [name, Buffer.from(data).toString()])).toEqual([[longName, 'text']]);
});

test.each(['../out', '/etc/passwd', 'a/../../b', 'a\\b', 'C:/x', 'a//b'])('no name leads out of a TAR: %s', (name) => {
  expect(() => readTar(tarOf([{ name, mode: 0o644, data: Buffer.alloc(1) }]))).toThrow(/not allowed/);
});

test('a TAR with a link is refused', () => {
  const archive = tarOf([{ name: 'link', mode: 0o777, data: Buffer.alloc(0) }]);
  archive[156] = '2'.charCodeAt(0);
  expect(() => readTar(archive)).toThrow('neither a file nor a folder');
});

test('a TAR that ends in the middle of a file is refused', () => {
  expect(() => readTar(tarOf(files).subarray(0, 512 * 4))).toThrow('ends in the middle');
});

const zipped = (name = 'a/tokenflow'): Buffer =>
  Buffer.from(
    zipSync({
      [name]: [Buffer.from('#!/bin/sh\n'.repeat(50)), { os: 3, attrs: (0o100755 << 16) >>> 0 }],
      'a/stored': [Buffer.from('text'), { level: 0 }],
    }),
  );

test('a ZIP gives back names, permissions and bytes, packed and stored', () => {
  const [script, stored] = [...readZip(zipped())];
  expect(script).toMatchObject({ name: 'a/tokenflow', mode: 0o755 });
  expect(Buffer.from(script?.data ?? []).toString()).toBe('#!/bin/sh\n'.repeat(50));
  expect(stored).toMatchObject({ name: 'a/stored', mode: 0o644 });
  expect(Buffer.from(stored?.data ?? []).toString()).toBe('text');
});

test('only the wanted files of a ZIP are unpacked', () => {
  expect([...readZip(zipped(), (name) => name === 'a/stored')].map(({ name }) => name)).toEqual(['a/stored']);
});

test('a ZIP whose bytes have changed is refused', () => {
  const archive = zipped();
  const at = archive.indexOf('text');
  archive[at] = 'T'.charCodeAt(0);
  expect(() => [...readZip(archive)]).toThrow('a/stored is damaged');
});

test('a ZIP that was cut short is refused', () => {
  expect(() => [...readZip(zipped().subarray(0, 100))]).toThrow('not a whole ZIP file');
});

test.each(['../out', 'a/../../b'])('no name leads out of a ZIP: %s', (name) => {
  expect(() => [...readZip(zipped(name))]).toThrow(/not allowed/);
});
