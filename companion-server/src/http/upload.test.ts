import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { beginUpload } from './upload.ts';

async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenflow-upload-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const bytes = Buffer.from('not really a clip');
const sha256 = createHash('sha256').update(bytes).digest('hex');

test('a clip lies in the folder under a name of the server, with the ending of the clip', async () => {
  const folder = await createFolder();
  const upload = await beginUpload(folder, bytes.length, 'mov');
  expect(await upload.write(0, bytes.subarray(0, 4))).toBe(4);
  expect(await upload.write(4, bytes.subarray(4))).toBe(bytes.length);
  const { clipId, path } = await upload.finish(sha256);
  expect(clipId).toMatch(/^[0-9a-f]{32}$/);
  expect([dirname(path), extname(path)]).toEqual([folder, '.mov']);
  expect(await readFile(path)).toEqual(bytes);
});

test('a clip that arrived damaged is removed', async () => {
  const folder = await createFolder();
  const upload = await beginUpload(folder, bytes.length, null);
  await upload.write(0, bytes);
  await expect(upload.finish('0'.repeat(64))).rejects.toMatchObject({ code: 'transfer-damaged' });
  expect(await readdir(folder)).toEqual([]);
});

test('an upload that is discarded is removed', async () => {
  const folder = await createFolder();
  const upload = await beginUpload(folder, bytes.length, null);
  await upload.write(0, bytes);
  await upload.discard();
  expect(await readdir(folder)).toEqual([]);
});

test('a clip larger than the free space is refused before it is sent', async () => {
  const folder = await createFolder();
  await expect(beginUpload(folder, Number.MAX_SAFE_INTEGER, null)).rejects.toMatchObject({
    code: 'disk-full',
  });
  expect(await readdir(folder)).toEqual([]);
});
