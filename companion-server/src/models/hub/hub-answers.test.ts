// What a pull does when the hub answers with anything but the files: refusals, wrong contents, redirects.

import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { rejectionOf } from '../testing/error-from.ts';
import type { FakeHub } from '../testing/fake-hub.ts';
import { createPullFixture, large, largeBytes } from '../testing/pull-fixture.ts';

describe('a hub that refuses', () => {
  const refuse = (hub: FakeHub, status: number, headers: Record<string, string> = {}): void => {
    hub.answer = (_entry, _request, response) => {
      response.writeHead(status, headers).end();
      return true;
    };
  };

  test.each([
    [401, { 'x-error-code': 'GatedRepo' }, undefined, 'set HF_TOKEN'],
    [403, { 'x-error-code': 'GatedRepo' }, 'hf_secret', 'accept the terms'],
    [403, {}, 'hf_secret', 'accept the terms'],
  ])('with %i says how to be let in', async (status, headers, token, hint) => {
    const { hub, pull } = await createPullFixture();
    refuse(hub, status, headers);
    const error = await rejectionOf(pull(token === undefined ? {} : { token }));
    expect(error).toMatchObject({ code: 'model-gated' });
    expect(error.hint).toContain(hint);
    expect(error.hint).toContain(`${hub.url}/${hub.repository}`);
    expect(`${error.message}${error.hint ?? ''}`).not.toContain('secret');
    expect(hub.log).toHaveLength(1);
  });

  test.each([
    [404, {}, 'model-missing'],
    [401, { 'x-error-code': 'RepoNotFound' }, 'model-missing'],
    [418, {}, 'download-refused'],
  ])('with %i %j is not asked again', async (status, headers, code) => {
    const { hub, waits, pull } = await createPullFixture();
    refuse(hub, status, headers);
    expect(await rejectionOf(pull())).toMatchObject({ code });
    expect(waits).toEqual([]);
  });

  test('with 429 is given the time that it asks for', async () => {
    const { hub, waits, pull } = await createPullFixture();
    let isBusy = true;
    hub.answer = (_entry, _request, response) => {
      if (isBusy) response.writeHead(429, { 'retry-after': '7' }).end();
      const wasBusy = isBusy;
      isBusy = false;
      return wasBusy;
    };
    await pull();
    expect(waits).toEqual([7_000]);
  });

  test('with 429 for an hour is not waited for', async () => {
    const { hub, waits, pull } = await createPullFixture();
    refuse(hub, 429, { 'retry-after': '3600' });
    const error = await rejectionOf(pull());
    expect(error).toMatchObject({ code: 'connection-lost' });
    expect(error.hint).toContain('3600 s');
    expect(waits).toEqual([]);
  });

  test('at its storage is asked for a new address', async () => {
    const { hub, waits, pull, expectAllFiles } = await createPullFixture();
    let isExpired = true;
    hub.answer = ({ where }, _request, response) => {
      if (where !== 'storage' || !isExpired) return false;
      isExpired = false;
      response.writeHead(403).end();
      return true;
    };
    await pull();
    expect(waits).toHaveLength(1);
    await expectAllFiles();
  });
});

describe('a hub that sends the wrong thing', () => {
  const storageSends = (hub: FakeHub, bytes: Uint8Array, headers: Record<string, string> = {}): void => {
    hub.answer = (entry, _request, response) => {
      if (entry.where !== 'storage') return false;
      entry.sentBytes = bytes.length;
      response.writeHead(200, headers).end(bytes);
      return true;
    };
  };

  test('is found out by the hash, and nothing of it stays', async () => {
    const { hub, pull, gets, visible } = await createPullFixture();
    storageSends(hub, randomBytes(largeBytes), { 'content-length': String(largeBytes) });
    const onlyLarge = [...hub.files.keys()].filter((path) => path.endsWith('.safetensors'));
    for (const path of onlyLarge) if (path !== large) hub.files.delete(path);
    const error = await rejectionOf(pull());
    expect(error).toMatchObject({ code: 'transfer-damaged' });
    expect(error.message).toContain(large);
    expect(gets(large)).toHaveLength(3);
    expect(await visible()).toEqual([]);
  });

  test('once is asked again', async () => {
    const { hub, pull, expectAllFiles } = await createPullFixture();
    let isWrong = true;
    hub.answer = ({ where, path }, _request, response) => {
      if (!isWrong || where !== 'storage' || path !== large) return false;
      isWrong = false;
      response.writeHead(200, { 'content-length': largeBytes }).end(randomBytes(largeBytes));
      return true;
    };
    await pull();
    await expectAllFiles();
  });

  test.each([
    ['too short', largeBytes - 1, true],
    ['too long', largeBytes + 1, true],
    ['endless', largeBytes + 1_000, false],
  ])('%s is found out', async (_name, length, isLengthTold) => {
    const { hub, pull, visible } = await createPullFixture();
    storageSends(hub, randomBytes(length), isLengthTold ? { 'content-length': String(length) } : {});
    expect(await rejectionOf(pull())).toMatchObject({ code: 'transfer-damaged' });
    expect(await visible()).toEqual([]);
  });

  test('packed is refused', async () => {
    const { hub, pull } = await createPullFixture();
    storageSends(hub, randomBytes(10), { 'content-encoding': 'gzip' });
    const error = await rejectionOf(pull());
    expect(error).toMatchObject({ code: 'download-refused' });
    expect(error.message).toContain('packed (gzip)');
  });

  test.each([
    ['sizeBytes', { sizeBytes: 5, sha256: null }],
    ['sha256', { sizeBytes: null, sha256: '0'.repeat(64) }],
  ])('is refused before the first byte when its %s is not the catalogue’s', async (key, known) => {
    const { hub, pull } = await createPullFixture();
    const files = [...hub.files.keys()].map((path) => ({ path, sizeBytes: null, sha256: null }));
    const wrong = files.map((file) => (file.path === large ? { ...file, ...known } : file));
    const error = await rejectionOf(pull({ files: wrong }));
    expect(error).toMatchObject({ code: 'transfer-damaged' });
    expect(error.message).toContain(`its ${key} is`);
    expect(hub.log.filter(({ method }) => method === 'GET')).toEqual([]);
  });

  test('in a small file is found out by the catalogue’s hash', async () => {
    const { hub, pull } = await createPullFixture();
    const path = 'tokenizer/merges.txt';
    const files = [...hub.files.keys()].map((name) => ({
      path: name,
      sizeBytes: null,
      sha256: name === path ? 'a'.repeat(64) : null,
    }));
    const error = await rejectionOf(pull({ files }));
    expect(error).toMatchObject({ code: 'transfer-damaged' });
    expect(error.message).toContain(path);
  });
});

describe('a redirect', () => {
  const redirectTo = (hub: FakeHub, location: string): void => {
    hub.answer = (_entry, _request, response) => {
      response.writeHead(302, { location }).end();
      return true;
    };
  };

  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://192.168.0.1/',
    'https://10.0.0.1/',
    'https://example.org/x',
    'https://huggingface.co.example.org/x',
    'https://notahf.co/x',
    'http://huggingface.co/x',
    'https://user:pass@huggingface.co/x',
    'https://huggingface.co:8443/x',
    'file:///etc/passwd',
    'data:text/plain,hello',
    'ftp://127.0.0.1/x',
    'http://[',
    '//example.org/x',
  ])('to %s is not followed', async (location) => {
    const { hub, pull } = await createPullFixture();
    redirectTo(hub, location);
    expect(await rejectionOf(pull())).toMatchObject({ code: 'download-refused' });
    expect(hub.log).toHaveLength(1);
  });

  test('without an end is given up', async () => {
    const { hub, pull } = await createPullFixture();
    redirectTo(hub, '/again');
    const error = await rejectionOf(pull());
    expect(error.message).toContain('redirects more than 5 times');
    expect(hub.log).toHaveLength(6);
  });

  test('does not carry the token to another host', async () => {
    const { hub, pull } = await createPullFixture();
    await pull({ token: 'hf_secret' });
    const authorized = (where: string) =>
      hub.log.filter((entry) => entry.where === where).map(({ headers }) => headers.authorization);
    expect(new Set(authorized('hub'))).toEqual(new Set(['Bearer hf_secret']));
    expect(new Set(authorized('storage'))).toEqual(new Set([undefined]));
  });
});
