// How a clip arrives at the store: in pieces, after restarts, on a full disk.

import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { appendFile, open, readFile, readdir, readlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { maxClips } from '../../../protocol/limits.ts';
import type { MediaFacts } from '../../../protocol/media-facts.ts';
import {
  bytes,
  createFixture,
  day,
  other,
  owner,
  request,
  send,
  sha256,
  sha256Of,
} from '../../../test/clip-store-fixture.ts';
import { createDeferred } from '../../../test/deferred.ts';
import { testMedia } from '../../../test/fixtures/media.ts';
import { EditError } from '../errors.ts';
import { withoutPaths } from '../without-paths.ts';

test('whatever the pieces and the restarts between them, the clip arrives whole', async () => {
  const { pathOf, restart } = await createFixture();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.constantFrom('on', 'release', 'restart')), {
        minLength: 1,
        maxLength: 8,
      }),
      async (pieces) => {
        const content = randomBytes(pieces.reduce((sum, [length]) => sum + length, 0));
        const whole = { ...request, sizeBytes: content.length };
        let store = await restart();
        let upload = await store.begin(owner, whole);
        for (const [length, then] of pieces) {
          const offset = upload.receivedBytes;
          await upload.write(offset, content.subarray(offset, offset + length));
          if (then === 'on') continue;
          if (then === 'release') await upload.release();
          else store = await restart();
          upload = await store.begin(owner, { ...whole, uploadId: upload.uploadId });
          expect(upload.receivedBytes).toBe(offset + length);
        }
        const clip = await upload.finish(sha256Of(content));
        expect(await readFile(pathOf(clip))).toEqual(content);
      },
    ),
    { numRuns: 20 },
  );
});

test('nobody goes on with the upload of another client', async () => {
  const { store } = await createFixture();
  const upload = await store.begin(owner, request);
  await upload.write(0, bytes.subarray(0, 4));
  const theirs = await store.begin(other, { ...request, uploadId: upload.uploadId });
  expect(theirs.uploadId).not.toBe(upload.uploadId);
  expect(theirs.receivedBytes).toBe(0);
});

test('a connection that goes on with an upload takes it from the one that had it', async () => {
  const { store } = await createFixture();
  const first = await store.begin(owner, request);
  await first.write(0, bytes.subarray(0, 4));
  const beginning = store.begin(owner, { ...request, uploadId: first.uploadId });
  await first.release();
  const second = await beginning;
  expect(second.receivedBytes).toBe(4);
  await expect(first.write(4, bytes.subarray(4))).rejects.toThrow('Another connection');
  await expect(first.finish(sha256)).rejects.toThrow('Another connection');
  await second.write(4, bytes.subarray(4));
  expect(await second.finish(sha256)).toMatchObject({ sha256 });
});

test('nobody goes on with an upload while a slow disk still takes what the old connection has brought', async () => {
  const { store, dataDir, pathOf } = await createFixture();
  const file = await open(join(dataDir, 'any'), 'w');
  const gate = createDeferred<undefined>();
  const prototype = Object.getPrototypeOf(file) as typeof file;
  await file.close();
  vi.spyOn(prototype, 'writev').mockImplementation(async function (this: typeof file, buffers) {
    await gate.promise;
    vi.restoreAllMocks();
    return this.writev(buffers);
  });
  onTestFinished(() => void vi.restoreAllMocks());
  const first = await store.begin(owner, request);
  const written = first.write(0, bytes.subarray(0, 4));
  const released = first.release();
  const askedAgain = createDeferred<undefined>();
  const release = first.release.bind(first);
  vi.spyOn(first, 'release').mockImplementation(() => {
    askedAgain.resolve(undefined);
    return release();
  });
  const beginning = store.begin(owner, { ...request, uploadId: first.uploadId });
  await askedAgain.promise;
  // Time enough for a look at the file.
  for (let i = 0; i < 100; i++) await turn();
  gate.resolve(undefined);
  await Promise.all([written, released]);
  const second = await beginning;
  expect(second.receivedBytes).toBe(4);
  await second.write(4, bytes.subarray(4));
  expect(await readFile(pathOf(await second.finish(sha256)))).toEqual(bytes);
});

test('an upload that the full disk does not take down leaves no file', async () => {
  const { store, files } = await createFixture(undefined, (database) => ({
    ...database,
    run() {
      throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
    },
  }));
  await expect(store.begin(owner, request)).rejects.toThrow('full');
  expect((await files()).uploads).toEqual([]);
});

test('an upload can be given back while the disk is full', async () => {
  let isFull = false;
  const { store } = await createFixture(undefined, (database) => ({
    ...database,
    run(...parameters) {
      if (isFull) throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
      return database.run(...parameters);
    },
  }));
  const first = await store.begin(owner, request);
  await first.write(0, bytes.subarray(0, 4));
  isFull = true;
  await first.release();
  isFull = false;
  const second = await store.begin(owner, { ...request, uploadId: first.uploadId });
  expect(second.receivedBytes).toBe(4);
});

test('uploads that nobody goes on with keep few files open', async () => {
  const { store, dataDir } = await createFixture();
  const uploads = [];
  for (let i = 0; i < 40; i++) {
    const upload = await store.begin(owner, request);
    await upload.write(0, bytes.subarray(0, 4));
    await upload.release();
    uploads.push(upload);
  }
  if (process.platform === 'linux') {
    const links = (await readdir('/proc/self/fd')).map((name) => readlink(`/proc/self/fd/${name}`));
    const opened = (await Promise.allSettled(links)).filter(
      (link) => link.status === 'fulfilled' && link.value.startsWith(join(dataDir, 'uploads')),
    );
    expect(opened.length).toBeLessThanOrEqual(16);
  }
  const again = await store.begin(owner, { ...request, uploadId: uploads[0]?.uploadId ?? '' });
  expect(again.receivedBytes).toBe(4);
});

test('an upload whose last reply was lost is not sent again', async () => {
  const probing = createDeferred<MediaFacts>();
  const { store } = await createFixture(() => probing.promise);
  const upload = await store.begin(owner, request);
  await upload.write(0, bytes);
  const finished = upload.finish(sha256);
  const beginning = store.begin(owner, { ...request, sha256, uploadId: upload.uploadId });
  probing.resolve(testMedia);
  const again = await beginning;
  expect(again.receivedBytes).toBe(bytes.length);
  expect(await again.finish(sha256)).toEqual(await finished);
});

test.each([
  ['has another hash', bytes, '0'.repeat(64)],
  ['is not whole', bytes.subarray(1), sha256],
])('an upload that %s is refused and leaves nothing', async (_what, content, claimed) => {
  const { store, files } = await createFixture();
  const upload = await store.begin(owner, request);
  await upload.write(0, content);
  await expect(upload.finish(claimed)).rejects.toMatchObject({ code: 'transfer-damaged' });
  expect(await files()).toEqual({ clips: [], uploads: [] });
});

test.each([
  ['the disk is full', Object.assign(new Error('full'), { code: 'SQLITE_FULL' })],
  ['the database is held', Object.assign(new Error('locked'), { code: 'SQLITE_BUSY' })],
  ['there are no more file handles', Object.assign(new Error('many'), { code: 'EMFILE' })],
  ['ffprobe is missing', new EditError('ffmpeg-missing', 'There is none.')],
])('an upload whose last step fails because %s is kept, and is a clip at the next try', async (_why, failure) => {
  let isFailing = true;
  const { store, files, restart } = await createFixture(() =>
    isFailing ? Promise.reject(failure) : Promise.resolve(testMedia),
  );
  const upload = await store.begin(owner, request);
  await upload.write(0, bytes);
  await expect(upload.finish(sha256)).rejects.toThrow(failure.message);
  expect((await files()).uploads).toEqual([upload.uploadId]);
  isFailing = false;
  for (const next of [store, await restart()]) {
    const again = await next.begin(owner, { ...request, uploadId: upload.uploadId });
    expect(again.receivedBytes).toBe(bytes.length);
    await again.release();
  }
  const last = await store.begin(owner, { ...request, uploadId: upload.uploadId });
  expect(await last.finish(sha256)).toMatchObject({ sha256 });
  expect((await files()).uploads).toEqual([]);
});

test('an upload whose clip the full disk does not take down is kept', async () => {
  let isFull = false;
  const { store, files } = await createFixture(undefined, (database) => ({
    ...database,
    transaction(work) {
      if (isFull) throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
      return database.transaction(work);
    },
  }));
  const upload = await store.begin(owner, request);
  await upload.write(0, bytes);
  isFull = true;
  await expect(upload.finish(sha256)).rejects.toThrow('full');
  expect(await files()).toEqual({ clips: [], uploads: [upload.uploadId] });
  isFull = false;
  const again = await store.begin(owner, { ...request, uploadId: upload.uploadId });
  expect(await again.finish(sha256)).toMatchObject({ sha256 });
});

test('an upload that is long to read holds up no other', async () => {
  const { store, dataDir, restart } = await createFixture();
  const wish = { ...request, sizeBytes: 2 ** 28 + 1 };
  const long = await store.begin(owner, wish);
  const short = await store.begin(other, request);
  for (const upload of [long, short]) await upload.release();
  await truncate(join(dataDir, 'uploads', long.uploadId), 2 ** 28);
  const restarted = await restart();
  const ends: string[] = [];
  const goOn = (name: string, from: string, uploadId: string, sizeBytes: number) =>
    restarted.begin(from, { ...request, sizeBytes, uploadId }).then(() => ends.push(name));
  await Promise.all([
    goOn('long', owner, long.uploadId, wish.sizeBytes),
    goOn('short', other, short.uploadId, bytes.length),
  ]);
  expect(ends).toEqual(['short', 'long']);
});

test('uploads that were begun and not ended count among the clips of a client', async () => {
  const { store } = await createFixture(undefined, (database) => {
    database.transaction(() => {
      for (let i = 0; i < maxClips; i++) {
        const sql = 'INSERT OR IGNORE INTO uploads VALUES (?, ?, 1, NULL, ?)';
        database.run(sql, String(i), owner, 1_000 * day);
      }
    });
    return database;
  });
  await expect(store.begin(owner, request)).rejects.toMatchObject({ code: 'limit-reached' });
  await expect(store.begin(other, request)).resolves.toMatchObject({ receivedBytes: 0 });
});

test('what is no video is refused, to its client without the path of its file, and leaves nothing', async () => {
  const { store, files, dataDir } = await createFixture((path) =>
    Promise.reject(new EditError('clip-unreadable', `"${path}" is a shopping list.`)),
  );
  const refused = await send(store).catch((error: unknown) => error as EditError);
  expect(refused).toMatchObject({ code: 'clip-unreadable' });
  expect(withoutPaths(refused as EditError, (refused as EditError).message)).toBe('the clip is a shopping list.');
  expect(await files()).toEqual({ clips: [], uploads: [] });
  expect(dataDir).not.toBe('');
});

test('bytes that are not the next ones are refused, and the upload goes on', async () => {
  const { store } = await createFixture();
  const upload = await store.begin(owner, request);
  await expect(upload.write(3, bytes)).rejects.toThrow('The next chunk must start at byte 0');
  expect(await upload.write(0, bytes)).toBe(bytes.length);
});

test('a clip larger than the free space is refused before it is sent', async () => {
  const { store, files } = await createFixture();
  const sizeBytes = Number.MAX_SAFE_INTEGER;
  await expect(store.begin(owner, { ...request, sizeBytes })).rejects.toMatchObject({
    code: 'disk-full',
  });
  expect((await files()).uploads).toEqual([]);
});

test('an upload that nobody went on with for a week is removed', async () => {
  const { store, files, clock } = await createFixture();
  const upload = await store.begin(owner, request);
  await upload.write(0, bytes.subarray(0, 4));
  await upload.release();
  clock.now += 6 * day;
  await send(store, other);
  expect((await files()).uploads).toEqual([upload.uploadId]);
  clock.now += 8 * day;
  const again = await store.begin(owner, { ...request, uploadId: upload.uploadId });
  expect(again.receivedBytes).toBe(0);
  expect((await files()).uploads).toEqual([again.uploadId]);
});

test('bytes that someone else has added to the file of an upload are found by the hash', async () => {
  const { store, dataDir, restart } = await createFixture();
  const upload = await store.begin(owner, request);
  await upload.write(0, bytes.subarray(0, 4));
  await appendFile(join(dataDir, 'uploads', upload.uploadId), 'XX');
  const restarted = await restart();
  const again = await restarted.begin(owner, { ...request, uploadId: upload.uploadId });
  expect(again.receivedBytes).toBe(6);
  await again.write(6, bytes.subarray(6));
  await expect(again.finish(sha256)).rejects.toMatchObject({ code: 'transfer-damaged' });
});
