import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { readRemoteAccess, type RemoteAccessFlags } from './remote-access.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../../test/fixtures/tls/${name}`, import.meta.url));

let folder: string;
let flags: RemoteAccessFlags;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokenflow-remote-'));
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, `${'a'.repeat(64)}\n`);
  flags = {
    listen: '192.0.2.1',
    tlsCert: fixture('certificate.pem'),
    tlsKey: fixture('key.pem'),
    tokenFile,
  };
  return () => rm(folder, { recursive: true, force: true });
});

const read = (given: RemoteAccessFlags) => readRemoteAccess(given, folder);

test('without any of the flags nobody else is served', () => {
  expect(read({})).toBeNull();
});

test('with all of them the address, the token and the names of the certificate are read', () => {
  const remote = read(flags);
  expect(remote).toMatchObject({ address: '192.0.2.1', token: 'a'.repeat(64) });
  const served = ['render.test', 'gpu.studio.test', '127.0.0.1'];
  expect(served.filter((name) => remote?.isServedName(name) !== true)).toEqual([]);
  const others = ['evil.example', 'studio.test', 'a.b.studio.test', '192.0.2.1', '[::1]'];
  expect(others.filter((name) => remote?.isServedName(name) === true)).toEqual([]);
});

test.each([
  ['--listen', { listen: undefined }, /are for --listen, which is missing/],
  ['--tls-cert', { tlsCert: undefined }, /A certificate needs its key; missing: --tls-cert\./],
  ['--tls-key', { tlsKey: undefined }, /A certificate needs its key; missing: --tls-key\./],
])('without %s the server does not start', (_name, change, message) => {
  expect(() => read({ ...flags, ...change })).toThrow(message);
});

test('without a token only paired clients are served', () => {
  expect(read({ ...flags, tokenFile: undefined })).toMatchObject({ token: null });
});

describe('with an address alone the server makes a certificate', () => {
  test('and keeps it, for its user only, so that its fingerprint stays', async () => {
    const first = read({ listen: '0.0.0.0' });
    expect(first?.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(first?.token).toBeNull();
    expect(read({ listen: '0.0.0.0' })?.fingerprint).toBe(first?.fingerprint);
    if (process.platform === 'win32') return;
    const modes = await Promise.all(
      ['tls', 'tls/key.pem', 'tls/certificate.pem'].map(async (name) => (await stat(join(folder, name))).mode & 0o777),
    );
    expect(modes).toEqual([0o700, 0o600, 0o600]);
  });

  test('and is called by the name and the addresses of the machine only', () => {
    const remote = read({ listen: '0.0.0.0' });
    expect([hostname().toLowerCase(), '127.0.0.1'].map((name) => remote?.isServedName(name))).toEqual([true, true]);
    const others = ['evil.example', `${hostname().toLowerCase()}.evil.example`, '192.0.2.1', '[2001:db8::1]'];
    expect(others.filter((name) => remote?.isServedName(name) === true)).toEqual([]);
  });

  test('and follows no link that was planted where its key goes', async () => {
    const target = join(folder, 'planted');
    await writeFile(target, 'as it was');
    await mkdir(join(folder, 'tls'));
    await symlink(target, join(folder, 'tls', 'key.pem'));
    read({ listen: '0.0.0.0' });
    expect(await readFile(target, 'utf8')).toBe('as it was');
  });
});

describe('is refused', () => {
  test.each(['render.test', '', '1.2.3', '0.0.0.0:80'])('the address "%s"', (listen) => {
    expect(() => read({ ...flags, listen })).toThrow(/must be an IP address/);
  });

  test('a key of another certificate', () => {
    const tlsKey = fixture('other-key.pem');
    expect(() => read({ ...flags, tlsKey })).toThrow(/is not the one/);
  });

  test('a file that is no certificate', () => {
    const tlsCert = fixture('README.md');
    expect(() => read({ ...flags, tlsCert })).toThrow(/cannot be read/);
  });

  test('a file that is not there', () => {
    const tlsKey = join(folder, 'none');
    expect(() => read({ ...flags, tlsKey })).toThrow(/of --tls-key cannot be read/);
  });

  test.each(['', 'secret', 'a'.repeat(63), 'g'.repeat(64)])('the token "%s"', async (token) => {
    await writeFile(flags.tokenFile ?? '', token);
    expect(() => read(flags)).toThrow(/64 to 200 lower-case hexadecimal digits/);
  });
});
