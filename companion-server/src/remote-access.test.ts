import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { readRemoteAccess, type RemoteAccessFlags } from './remote-access.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../../test/fixtures/tls/${name}`, import.meta.url));

let folder: string;
let flags: Required<RemoteAccessFlags>;
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

test('without any of the flags nobody else is served', () => {
  expect(readRemoteAccess({})).toBeNull();
});

test('with all of them the address, the token and the names of the certificate are read', () => {
  const remote = readRemoteAccess(flags);
  expect(remote).toMatchObject({ address: '192.0.2.1', token: 'a'.repeat(64) });
  const served = ['render.test', 'gpu.studio.test', '127.0.0.1'];
  expect(served.filter((name) => remote?.isServedName(name) !== true)).toEqual([]);
  const others = ['evil.example', 'studio.test', 'a.b.studio.test', '192.0.2.1', '[::1]'];
  expect(others.filter((name) => remote?.isServedName(name) === true)).toEqual([]);
});

test.each(['listen', 'tlsCert', 'tlsKey', 'tokenFile'] as const)('without %s the server does not start', (name) => {
  const names = { listen: '--listen', tlsCert: '--tls-cert', tlsKey: '--tls-key', tokenFile: '--token-file' };
  expect(() => readRemoteAccess({ ...flags, [name]: undefined })).toThrow(
    new RegExp(`needs an address, a TLS certificate with its key, and a token; missing: ${names[name]}\\.$`),
  );
});

test('an address alone does not do', () => {
  expect(() => readRemoteAccess({ listen: '0.0.0.0' })).toThrow(/missing: --tls-cert, --tls-key, --token-file/);
});

describe('is refused', () => {
  test.each(['render.test', '', '1.2.3', '0.0.0.0:80'])('the address "%s"', (listen) => {
    expect(() => readRemoteAccess({ ...flags, listen })).toThrow(/must be an IP address/);
  });

  test('a key of another certificate', () => {
    const tlsKey = fixture('other-key.pem');
    expect(() => readRemoteAccess({ ...flags, tlsKey })).toThrow(/is not the one/);
  });

  test('a file that is no certificate', () => {
    const tlsCert = fixture('README.md');
    expect(() => readRemoteAccess({ ...flags, tlsCert })).toThrow(/cannot be read/);
  });

  test('a file that is not there', () => {
    const tlsKey = join(folder, 'none');
    expect(() => readRemoteAccess({ ...flags, tlsKey })).toThrow(/of --tls-key cannot be read/);
  });

  test.each(['', 'secret', 'a'.repeat(63), 'g'.repeat(64)])('the token "%s"', async (token) => {
    await writeFile(flags.tokenFile ?? '', token);
    expect(() => readRemoteAccess(flags)).toThrow(/64 to 200 lower-case hexadecimal digits/);
  });
});
