// Pulls whose connection is cut, and pulls that go on where an earlier one was stopped.

import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CanceledError } from '../errors.ts';
import type { PullOptions } from './pull.ts';
import { rejectionOf } from './testing/error-from.ts';
import { createPullFixture, large, largeBytes, type PullFixture } from './testing/pull-fixture.ts';

/** What may be lost of a cut connection: a buffer of the socket, and one of the stream. */
const bufferBytes = 2 * 64 * 1024;

describe('a connection that is cut', () => {
  test('anywhere, any number of times, loses nothing and fetches nothing twice', async () => {
    const { modelsDir, hub, pull, gets, expectAllFiles } = await createPullFixture();
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
    const { hub, waits, pull, visible } = await createPullFixture();
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
    const { hub, waits, pull, expectAllFiles } = await createPullFixture();
    let isSilent = true;
    hub.answer = ({ method, path }) => {
      const isNow = isSilent && method === 'GET' && path === large;
      if (isNow) isSilent = false;
      return isNow;
    };
    // Longer than a busy disk takes to bring a note of the download to the disk: nothing is read meanwhile.
    await pull({ idleMs: 1_000 });
    expect(waits).toHaveLength(1);
    await expectAllFiles();
  });

  test('by a storage that cannot continue is not tried for ever', async () => {
    const { hub, pull } = await createPullFixture();
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
  /** Some of the large file has arrived. */
  async function createStoppedPull(): Promise<PullFixture> {
    const fixture = await createPullFixture();
    const controller = new AbortController();
    const onProgress: PullOptions['onProgress'] = ({ path, doneBytes }) => {
      if (path === large && doneBytes > 700_000) controller.abort();
    };
    const stopped = fixture.pull({ onProgress, signal: controller.signal });
    await expect(stopped).rejects.toThrow(CanceledError);
    return fixture;
  }

  test('goes on where it was, and fetches no finished file again', async () => {
    const { hub, pull, gets, visible, expectAllFiles } = await createStoppedPull();
    expect(await visible()).toEqual([]);
    const arrived = gets(large)[0]?.sentBytes ?? 0;
    expect(arrived).toBeGreaterThan(0);
    hub.log.length = 0;
    await pull();
    await expectAllFiles();
    expect(hub.log.filter(({ method }) => method === 'GET').map(({ path }) => path)).toEqual([large, large]);
    const [request] = gets(large);
    expect(request?.start).toBeGreaterThan(600_000);
    expect(request?.headers['if-range']).toMatch(/^"[0-9a-f]{32}"$/);
  });

  test('begins the file anew when the hub has another one meanwhile', async () => {
    const { hub, pull, gets, expectAllFiles } = await createStoppedPull();
    hub.files.set(large, randomBytes(largeBytes));
    hub.log.length = 0;
    await pull();
    await expectAllFiles();
    expect(gets(large).map(({ start }) => start)).toEqual([0]);
  });

  test('begins the file anew when the storage takes halves of two files for one', async () => {
    const { hub, pull, expectAllFiles } = await createStoppedPull();
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
    const { hub, pull, expectAllFiles } = await createStoppedPull();
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
    const { modelsDir, hub, pull, gets, expectAllFiles } = await createStoppedPull();
    const state = join(modelsDir, '.pulling', 'some-model', 'pulling.json');
    await writeFile(state, (await readFile(state, 'utf8')).replace(hub.url, 'http://127.0.0.1:1'));
    hub.log.length = 0;
    await pull();
    expect(gets(large).map(({ start }) => start)).toEqual([0]);
    await expectAllFiles();
  });

  test('does not trust a finished file that a newer catalogue knows to be another', async () => {
    const { hub, pull } = await createStoppedPull();
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

  test('does without a state that cannot be read', async () => {
    const { modelsDir, pull, expectAllFiles } = await createStoppedPull();
    await writeFile(join(modelsDir, '.pulling', 'some-model', 'pulling.json'), '{"files":');
    await pull();
    await expectAllFiles();
  });

  test('just after a file got its name fetches it no second time', async () => {
    const { modelsDir, hub, pull, gets, expectAllFiles } = await createStoppedPull();
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
