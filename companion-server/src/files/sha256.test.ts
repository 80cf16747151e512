import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hashFile, sha256OfFile } from './sha256.ts';

async function createFile(content: Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenflow-files-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'file');
  await writeFile(path, content);
  return path;
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
/** More than is read at a time. */
const large = randomBytes(3 * 2 ** 20 + 7);

test('the hash of a file is that of all its bytes, which are told piece by piece', async () => {
  const counts: number[] = [];
  const found = await sha256OfFile(await createFile(large), { onBytes: (count) => counts.push(count) });
  expect(found).toBe(sha256Of(large));
  expect(counts.length).toBeGreaterThan(1);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(large.length);
});

test('an empty file has a hash', async () => {
  expect(await sha256OfFile(await createFile(Buffer.alloc(0)))).toBe(
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  );
});

test('a hash goes on with what is added to the file', async () => {
  const hash = await hashFile(await createFile(large.subarray(0, 5)));
  expect(hash.update(large.subarray(5)).digest('hex')).toBe(sha256Of(large));
});

test('a hash ends when it is canceled, before and in the middle', async () => {
  const path = await createFile(large);
  await expect(sha256OfFile(path, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'CanceledError' });
  const controller = new AbortController();
  const hashing = sha256OfFile(path, { signal: controller.signal, onBytes: () => controller.abort() });
  await expect(hashing).rejects.toMatchObject({ name: 'CanceledError' });
});

test('a file that is missing is told as the system tells it', async () => {
  await expect(sha256OfFile(join(tmpdir(), 'tokenflow-none', 'file'))).rejects.toMatchObject({ code: 'ENOENT' });
});
