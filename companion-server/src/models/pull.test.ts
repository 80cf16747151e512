// A pull from a hub that answers as it should.

import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { EditError } from '../errors.ts';
import { rejectionOf } from './testing/error-from.ts';
import { createPullFixture, large, largeBytes, sha256 } from './testing/pull-fixture.ts';

describe('a pull', () => {
  test('brings every file, and notes what it fetched', async () => {
    const { modelsDir, hub, pull, expectAllFiles } = await createPullFixture();
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
    expect(record.files.find(({ path }) => path === 'model_index.json')?.etag).toMatch(/^[0-9a-f]{40}$/);
    const total = [...hub.files.values()].reduce((sum, { length }) => sum + length, 0);
    expect(seen.at(-1)).toBe(total);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  test('asks for every byte once, unpacked', async () => {
    const { hub, pull, gets } = await createPullFixture();
    await pull();
    expect(hub.log.every(({ headers }) => headers['accept-encoding'] === 'identity')).toBe(true);
    for (const [path, { length }] of hub.files) {
      expect(gets(path).map(({ start, sentBytes }) => [start, sentBytes])).toEqual([[0, length]]);
    }
  });

  test('of a model that is there does nothing', async () => {
    const { hub, pull } = await createPullFixture();
    await pull();
    hub.log.length = 0;
    expect(await pull()).toMatchObject({ isNew: false });
    expect(hub.log).toEqual([]);
  });

  test('of another revision takes the place of the old one', async () => {
    const { modelsDir, hub, pull, expectAllFiles } = await createPullFixture();
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
    const { modelsDir, pull } = await createPullFixture();
    await pull();
    await rm(join(modelsDir, 'some-model', 'pulled.json'));
    expect(await rejectionOf(pull())).toMatchObject({ code: 'invalid-request' });
  });

  test('of what the engine cannot load is not offered', async () => {
    const { hub, pull, visible } = await createPullFixture();
    hub.files.set('model_index.json', Buffer.from('{"_class_name":"FluxPipeline"}'));
    expect(await rejectionOf(pull())).toMatchObject({ code: 'model-unsupported' });
    expect(await visible()).toEqual([]);
  });

  test('is refused before the first byte when the disk is too small', async () => {
    const { hub, pull } = await createPullFixture();
    const error = await rejectionOf(pull({ freeBytesAt: () => Promise.resolve(1_000_000) }));
    expect(error).toMatchObject({ code: 'disk-full' });
    expect(error.message).toMatch(/needs \d+ MB more .* 1 MB are free/);
    expect(hub.log.filter(({ method }) => method === 'GET')).toEqual([]);
  });

  test('of a model that is being pulled is refused', async () => {
    const { pull, expectAllFiles } = await createPullFixture();
    let second: Promise<EditError> | undefined;
    await pull({ onProgress: () => void (second ??= rejectionOf(pull())) });
    expect((await second)?.message).toContain('some-model is being pulled or removed already');
    await expectAllFiles();
  });
});
