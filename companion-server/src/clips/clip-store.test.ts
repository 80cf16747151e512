// Clips that are kept: whose they are, how long they stay, what a start finds.

import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { expect, test } from 'vitest';
import { bytes, createFixture, day, other, owner, request, send, sha256 } from '../../../test/clip-store-fixture.ts';
import { testMedia } from '../../../test/fixtures/media.ts';

test('a clip lies in the folder under its hash, with the ending of the clip, and says what it is', async () => {
  const { store, dataDir, pathOf, files } = await createFixture();
  const upload = await store.begin(owner, request);
  expect(await upload.write(0, bytes.subarray(0, 4))).toBe(4);
  expect(await upload.write(4, bytes.subarray(4))).toBe(bytes.length);
  const clip = await upload.finish(sha256);
  expect(clip).toMatchObject({ sizeBytes: bytes.length, sha256, media: testMedia });
  expect(clip.clipId).toBe(sha256.slice(0, 32));
  expect([dirname(pathOf(clip)), extname(pathOf(clip))]).toEqual([join(dataDir, 'clips'), '.mov']);
  expect(await readFile(pathOf(clip))).toEqual(bytes);
  expect(await store.get(owner, clip.clipId)).toEqual(clip);
  expect((await files()).uploads).toEqual([]);
});

test('the same clip is stored once, and goes with its last owner', async () => {
  const { store, files, pathOf, probed } = await createFixture();
  const [first, second] = [await send(store), await send(store, other)];
  expect(second).toEqual(first);
  expect((await files()).clips).toHaveLength(1);
  expect(probed).toHaveLength(1);
  await store.remove(owner, first.clipId);
  await expect(store.get(owner, first.clipId)).rejects.toThrow('There is no clip');
  expect(existsSync(pathOf(await store.get(other, first.clipId)))).toBe(true);
  await store.remove(other, first.clipId);
  expect(await files()).toEqual({ clips: [], uploads: [] });
});

test('a clip is found by its hash, by its owner only', async () => {
  const { store } = await createFixture();
  const clip = await send(store);
  expect(await store.withHash(owner, sha256)).toEqual(clip);
  await expect(store.withHash(other, sha256)).rejects.toMatchObject({ code: 'clip-missing' });
  await expect(store.withHash(owner, '0'.repeat(64))).rejects.toThrow('There is no clip that begins with 00000000');
});

test('who has sent a clip need not send it again; who only knows its hash must', async () => {
  const { store } = await createFixture();
  const clip = await send(store);
  const again = await store.begin(owner, { ...request, sha256 });
  expect(again.receivedBytes).toBe(bytes.length);
  await expect(again.write(0, bytes)).rejects.toThrow('The clip is there already');
  expect(await again.finish(sha256)).toEqual(clip);
  expect((await store.begin(other, { ...request, sha256 })).receivedBytes).toBe(0);
});

test('a clip stays for its second owner when the first one deletes it in the same moment', async () => {
  let onFound: () => void = () => undefined;
  const { store, pathOf } = await createFixture(undefined, (database) => ({
    ...database,
    get(sql, ...parameters) {
      const row = database.get(sql, ...parameters);
      if (sql.includes('WHERE sha256')) onFound();
      return row;
    },
  }));
  const { clipId } = await send(store);
  let removal: Promise<void> | undefined;
  onFound = () => {
    removal ??= Promise.resolve().then(() => store.remove(owner, clipId));
  };
  const kept = await send(store, other);
  await removal;
  expect(await readFile(pathOf(await store.get(other, kept.clipId)))).toEqual(bytes);
});

test('a clip that is read again and again is written about once an hour', async () => {
  const changes: number[] = [];
  const { store, clock } = await createFixture(undefined, (database) => ({
    ...database,
    run(sql, ...parameters) {
      const changed = database.run(sql, ...parameters);
      if (sql.startsWith('UPDATE clip_owners')) changes.push(changed);
      return changed;
    },
  }));
  const { clipId } = await send(store);
  await store.get(owner, clipId);
  clock.now += day;
  await store.get(owner, clipId);
  await store.get(owner, clipId);
  expect(changes).toEqual([0, 1, 0]);
});

test('clips that were not used for a month are removed, but for those that are needed', async () => {
  const { store, files, clock } = await createFixture();
  const clips = [];
  for (const name of ['old', 'needed', 'used']) clips.push(await send(store, owner, Buffer.from(name)));
  const [old, needed, used] = clips.map(({ clipId }) => clipId);
  clock.now += 20 * day;
  await store.get(owner, used ?? '');
  clock.now += 20 * day;
  await store.removeUnused((_owner, clipId) => Promise.resolve(clipId === needed));
  expect((await files()).clips).toHaveLength(2);
  await expect(store.get(owner, old ?? '')).rejects.toThrow('There is no clip');
});

test('a start sets files aside that no row knows, ends removals, and forgets clips whose file is gone', async () => {
  const { store, dataDir, pathOf, restart, files, moved } = await createFixture();
  const clip = await send(store);
  await rm(pathOf(clip));
  await writeFile(join(dataDir, 'clips', 'stranger.mov'), 'x');
  await writeFile(join(dataDir, 'uploads', 'stranger'), 'y');
  await writeFile(join(dataDir, 'uploads', 'removed-0123456789abcdef'), 'z');
  const restarted = await restart();
  expect(await files()).toEqual({ clips: [], uploads: [] });
  const aside = join('set-aside', '1970-01-01T00-00-00.000Z');
  expect(moved).toEqual([
    [join('clips', 'stranger.mov'), join(aside, 'clips', 'stranger.mov')],
    [join('uploads', 'stranger'), join(aside, 'uploads', 'stranger')],
  ]);
  expect(await readFile(join(dataDir, aside, 'uploads', 'stranger'), 'utf8')).toBe('y');
  await expect(restarted.get(owner, clip.clipId)).rejects.toThrow('There is no clip');
  expect(await send(restarted)).toEqual(clip);
});
