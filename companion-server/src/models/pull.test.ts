import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CanceledError, type EditError } from '../errors.ts';
import { checkpointFiles } from '../weights/testing/made-checkpoint.ts';
import type { CatalogFile } from './catalog-file.ts';
import { readHub } from './hub-address.ts';
import { pullModel, type PullOptions } from './pull.ts';
import { rejectionOf } from './testing/error-from.ts';
import { startFakeHub, type FakeHub } from './testing/fake-hub.ts';

/** Large enough that it travels in many pieces. */
const large = 'safety_checker/model.safetensors';
const largeBytes = 1_500_000;
/** What may be lost of a cut connection: a buffer of the socket, and one of the stream. */
const bufferBytes = 2 * 64 * 1024;

let modelsDir: string;
let hub: FakeHub;
let waits: number[];

beforeEach(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), 'tokenflow-models-'));
  hub = await startFakeHub({ ...checkpointFiles(), [large]: randomBytes(largeBytes) });
  waits = [];
});

afterEach(async () => {
  await hub.close();
  await rm(modelsDir, { recursive: true });
});

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function optionsFor(
  changes: Partial<PullOptions> & { files?: readonly CatalogFile[]; token?: string } = {},
): PullOptions {
  const unknown = [...hub.files.keys()].map((path) => ({ path, sizeBytes: null, sha256: null }));
  const { files = unknown, token, ...rest } = changes;
  return {
    model: {
      id: 'some-model',
      title: 'Some model',
      goodFor: 'Tests.',
      licence: { name: 'MIT', url: 'https://example.org/' },
      memoryGigabytes: 1,
      hub: { repository: hub.repository, revision: hub.revision, downloadGigabytes: 0, files },
    },
    hub: readHub({ HF_ENDPOINT: hub.url, HF_TOKEN: token }),
    modelsDir,
    wait: (milliseconds) => {
      waits.push(milliseconds);
      return Promise.resolve();
    },
    ...rest,
  };
}

const pull = (changes: Parameters<typeof optionsFor>[0] = {}) => pullModel(optionsFor(changes));
const gets = (path: string) =>
  hub.log.filter((entry) => entry.method === 'GET' && entry.path === path && entry.sentBytes > 0);
const visible = async () => (await readdir(modelsDir)).filter((name) => !name.startsWith('.'));

async function expectAllFiles(): Promise<void> {
  const dir = join(modelsDir, 'some-model');
  for (const [path, bytes] of hub.files) {
    expect(sha256(await readFile(join(dir, path)))).toBe(sha256(bytes));
  }
  const leftovers = (await readdir(dir, { recursive: true })).filter((name) => /part|pulling/.test(name)); // prettier-ignore
  expect(leftovers).toEqual([]);
}

describe('a pull', () => {
  test('brings every file, and notes what it fetched', async () => {
    const seen: number[] = [];
    const result = await pull({ onProgress: ({ doneBytes }) => seen.push(doneBytes) });
    expect(result).toEqual({ dir: join(modelsDir, 'some-model'), isNew: true });
    await expectAllFiles();
    const record = JSON.parse(await readFile(join(result.dir, 'pulled.json'), 'utf8')) as {
      files: { path: string; etag: string; sha256: string }[];
    };
    expect(record).toMatchObject({ id: 'some-model', repository: hub.repository, licence: 'MIT' });
    const bytes = hub.files.get(large) as Uint8Array;
    expect(record.files.find(({ path }) => path === large)).toEqual({
      path: large,
      sizeBytes: largeBytes,
      sha256: sha256(bytes),
      etag: sha256(bytes),
    });
    expect(record.files.find(({ path }) => path === 'model_index.json')?.etag).toMatch(/^[0-9a-f]{40}$/); // prettier-ignore
    const total = [...hub.files.values()].reduce((sum, { length }) => sum + length, 0);
    expect(seen.at(-1)).toBe(total);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  test('asks for every byte once, unpacked', async () => {
    await pull();
    expect(hub.log.every(({ headers }) => headers['accept-encoding'] === 'identity')).toBe(true);
    for (const [path, { length }] of hub.files) {
      expect(gets(path).map(({ start, sentBytes }) => [start, sentBytes])).toEqual([[0, length]]);
    }
  });

  test('of a model that is there does nothing', async () => {
    await pull();
    hub.log.length = 0;
    expect(await pull()).toMatchObject({ isNew: false });
    expect(hub.log).toEqual([]);
  });

  test('of another revision takes the place of the old one', async () => {
    await pull();
    const dir = join(modelsDir, 'some-model');
    const record = await readFile(join(dir, 'pulled.json'), 'utf8');
    await writeFile(join(dir, 'pulled.json'), record.replace(hub.revision, '0'.repeat(40)));
    await writeFile(join(dir, 'old.txt'), '');
    expect(await pull()).toMatchObject({ isNew: true });
    expect(existsSync(join(dir, 'old.txt'))).toBe(false);
    await expectAllFiles();
  });

  test('does not touch a folder that it did not make', async () => {
    await pull();
    await rm(join(modelsDir, 'some-model', 'pulled.json'));
    expect(await rejectionOf(pull())).toMatchObject({ code: 'invalid-request' });
  });

  test('of what the engine cannot load is not offered', async () => {
    hub.files.set('model_index.json', Buffer.from('{"_class_name":"FluxPipeline"}'));
    expect(await rejectionOf(pull())).toMatchObject({ code: 'model-unsupported' });
    expect(await visible()).toEqual([]);
  });

  test('is refused before the first byte when the disk is too small', async () => {
    const error = await rejectionOf(pull({ freeBytesAt: () => Promise.resolve(1_000_000) }));
    expect(error).toMatchObject({ code: 'disk-full' });
    expect(error.message).toMatch(/needs \d+ MB more .* 1 MB are free/);
    expect(hub.log.filter(({ method }) => method === 'GET')).toEqual([]);
  });

  test('of a model that is being pulled is refused', async () => {
    let second: Promise<EditError> | undefined;
    await pull({ onProgress: () => void (second ??= rejectionOf(pull())) });
    expect((await second)?.message).toContain('some-model is being pulled or removed already');
    await expectAllFiles();
  });
});

describe('a connection that is cut', () => {
  test('anywhere, any number of times, loses nothing and fetches nothing twice', async () => {
    const cuts = fc.array(fc.integer({ min: 1, max: largeBytes - 1 }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(cuts, async (points) => {
        const left = [...points];
        hub.cutAfter = ({ path }) => (path === large ? left.shift() : undefined);
        hub.log.length = 0;
        await pull();
        await expectAllFiles();
        const requests = gets(large);
        let arrived = 0;
        for (const { start, sentBytes } of requests) {
          expect(start).toBeLessThanOrEqual(arrived);
          expect(start).toBeGreaterThanOrEqual(arrived - bufferBytes);
          arrived = start + sentBytes;
        }
        expect(arrived).toBe(largeBytes);
        await rm(join(modelsDir, 'some-model'), { recursive: true });
      }),
      { numRuns: 12 },
    );
  });

  test('before any byte, again and again, ends in an error that says how to go on', async () => {
    hub.answer = (entry, request) => {
      if (entry.method === 'HEAD' || entry.path !== large) return false;
      request.socket.destroy();
      return true;
    };
    const error = await rejectionOf(pull());
    expect(error).toMatchObject({ code: 'connection-lost' });
    expect(error.hint).toContain('run the command again');
    expect(waits).toHaveLength(5);
    expect([...waits].sort((a, b) => a - b)).toEqual(waits);
    expect(await visible()).toEqual([]);
  });

  test('that sends nothing is given up and tried again', async () => {
    let isSilent = true;
    hub.answer = ({ method, path }) => {
      const isNow = isSilent && method === 'GET' && path === large;
      if (isNow) isSilent = false;
      return isNow;
    };
    await pull({ idleMs: 100 });
    expect(waits).toHaveLength(1);
    await expectAllFiles();
  });

  test('by a storage that cannot continue is not tried for ever', async () => {
    hub.cutAfter = ({ path }) => (path === large ? 100_000 : undefined);
    hub.answer = ({ headers }) => {
      delete headers.range;
      return false;
    };
    const error = await rejectionOf(pull());
    expect(error).toMatchObject({ code: 'connection-lost' });
    expect(error.message).toContain('sent from its beginning each time');
  });
});

describe('a pull that was stopped', () => {
  const stopAt = async (bytes: number): Promise<void> => {
    const controller = new AbortController();
    const onProgress: PullOptions['onProgress'] = ({ path, doneBytes }) => {
      if (path === large && doneBytes > bytes) controller.abort();
    };
    await expect(pull({ onProgress, signal: controller.signal })).rejects.toThrow(CanceledError);
  };

  test('goes on where it was, and fetches no finished file again', async () => {
    await stopAt(700_000);
    expect(await visible()).toEqual([]);
    const arrived = gets(large)[0]?.sentBytes ?? 0;
    expect(arrived).toBeGreaterThan(0);
    hub.log.length = 0;
    await pull();
    await expectAllFiles();
    expect(hub.log.filter(({ method }) => method === 'GET').map(({ path }) => path)).toEqual([large, large]); // prettier-ignore
    const [request] = gets(large);
    expect(request?.start).toBeGreaterThan(600_000);
    expect(request?.headers['if-range']).toMatch(/^"[0-9a-f]{32}"$/);
  });

  test('begins the file anew when the hub has another one meanwhile', async () => {
    await stopAt(700_000);
    hub.files.set(large, randomBytes(largeBytes));
    hub.log.length = 0;
    await pull();
    await expectAllFiles();
    expect(gets(large).map(({ start }) => start)).toEqual([0]);
  });

  test('begins the file anew when the storage takes halves of two files for one', async () => {
    await stopAt(700_000);
    hub.files.set(large, randomBytes(largeBytes));
    // Ignores If-Range: only the hub's own etag tells.
    hub.answer = ({ headers }) => {
      delete headers['if-range'];
      return false;
    };
    await pull();
    await expectAllFiles();
  });

  test('begins the file anew when the range cannot be had', async () => {
    await stopAt(700_000);
    let isRefused = false;
    hub.answer = ({ where, headers }, _request, response) => {
      if (isRefused || where !== 'storage' || headers.range === undefined) return false;
      isRefused = true;
      response.writeHead(416).end();
      return true;
    };
    await pull();
    await expectAllFiles();
    expect(isRefused).toBe(true);
  });

  test('does not go on with parts of another hub', async () => {
    await stopAt(700_000);
    const state = join(modelsDir, '.pulling', 'some-model', 'pulling.json');
    await writeFile(state, (await readFile(state, 'utf8')).replace(hub.url, 'http://127.0.0.1:1'));
    hub.log.length = 0;
    await pull();
    expect(gets(large).map(({ start }) => start)).toEqual([0]);
    await expectAllFiles();
  });

  test('does not trust a finished file that a newer catalogue knows to be another', async () => {
    await stopAt(700_000);
    const path = 'tokenizer/merges.txt';
    const files = [...hub.files.keys()].map((name) => ({ path: name, sizeBytes: null, sha256: name === path ? 'a'.repeat(64) : null })); // prettier-ignore
    const error = await rejectionOf(pull({ files }));
    expect(error).toMatchObject({ code: 'transfer-damaged' });
    expect(error.message).toContain(path);
  });

  test('does without a state that cannot be read', async () => {
    await stopAt(700_000);
    await writeFile(join(modelsDir, '.pulling', 'some-model', 'pulling.json'), '{"files":');
    await pull();
    await expectAllFiles();
  });

  test('just after a file got its name fetches it no second time', async () => {
    await stopAt(700_000);
    const folder = join(modelsDir, '.pulling', 'some-model');
    const whole = hub.files.get(large) as Uint8Array;
    await writeFile(join(folder, `${large}.part`), whole);
    await rename(join(folder, `${large}.part`), join(folder, large));
    hub.log.length = 0;
    await pull();
    expect(gets(large)).toEqual([]);
    await expectAllFiles();
  });
});

describe('a hub that refuses', () => {
  const refuse = (status: number, headers: Record<string, string> = {}): void => {
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
    refuse(status, headers);
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
    refuse(status, headers);
    expect(await rejectionOf(pull())).toMatchObject({ code });
    expect(waits).toEqual([]);
  });

  test('with 429 is given the time that it asks for', async () => {
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
    refuse(429, { 'retry-after': '3600' });
    const error = await rejectionOf(pull());
    expect(error).toMatchObject({ code: 'connection-lost' });
    expect(error.hint).toContain('3600 s');
    expect(waits).toEqual([]);
  });

  test('at its storage is asked for a new address', async () => {
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
  const storageSends = (bytes: Uint8Array, headers: Record<string, string> = {}): void => {
    hub.answer = (entry, _request, response) => {
      if (entry.where !== 'storage') return false;
      entry.sentBytes = bytes.length;
      response.writeHead(200, headers).end(bytes);
      return true;
    };
  };

  test('is found out by the hash, and nothing of it stays', async () => {
    storageSends(randomBytes(largeBytes), { 'content-length': String(largeBytes) });
    const onlyLarge = [...hub.files.keys()].filter((path) => path.endsWith('.safetensors'));
    for (const path of onlyLarge) if (path !== large) hub.files.delete(path);
    const error = await rejectionOf(pull());
    expect(error).toMatchObject({ code: 'transfer-damaged' });
    expect(error.message).toContain(large);
    expect(gets(large)).toHaveLength(3);
    expect(await visible()).toEqual([]);
  });

  test('once is asked again', async () => {
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
    storageSends(randomBytes(length), isLengthTold ? { 'content-length': String(length) } : {});
    expect(await rejectionOf(pull())).toMatchObject({ code: 'transfer-damaged' });
    expect(await visible()).toEqual([]);
  });

  test('packed is refused', async () => {
    storageSends(randomBytes(10), { 'content-encoding': 'gzip' });
    const error = await rejectionOf(pull());
    expect(error).toMatchObject({ code: 'download-refused' });
    expect(error.message).toContain('packed (gzip)');
  });

  test.each([
    ['sizeBytes', { sizeBytes: 5, sha256: null }],
    ['sha256', { sizeBytes: null, sha256: '0'.repeat(64) }],
  ])('is refused before the first byte when its %s is not the catalogue’s', async (key, known) => {
    const files = [...hub.files.keys()].map((path) => ({ path, sizeBytes: null, sha256: null }));
    const wrong = files.map((file) => (file.path === large ? { ...file, ...known } : file));
    const error = await rejectionOf(pull({ files: wrong }));
    expect(error).toMatchObject({ code: 'transfer-damaged' });
    expect(error.message).toContain(`its ${key} is`);
    expect(hub.log.filter(({ method }) => method === 'GET')).toEqual([]);
  });

  test('in a small file is found out by the catalogue’s hash', async () => {
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
  const redirectTo = (location: string): void => {
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
    redirectTo(location);
    expect(await rejectionOf(pull())).toMatchObject({ code: 'download-refused' });
    expect(hub.log).toHaveLength(1);
  });

  test('without an end is given up', async () => {
    redirectTo('/again');
    const error = await rejectionOf(pull());
    expect(error.message).toContain('redirects more than 5 times');
    expect(hub.log).toHaveLength(6);
  });

  test('does not carry the token to another host', async () => {
    await pull({ token: 'hf_secret' });
    const authorized = (where: string) =>
      hub.log.filter((entry) => entry.where === where).map(({ headers }) => headers.authorization);
    expect(new Set(authorized('hub'))).toEqual(new Set(['Bearer hf_secret']));
    expect(new Set(authorized('storage'))).toEqual(new Set([undefined]));
  });
});
