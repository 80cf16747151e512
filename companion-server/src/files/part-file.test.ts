import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openPartFile } from './part-file.ts';

let path: string;
beforeEach(async () => (path = join(await mkdtemp(join(tmpdir(), 'tokenflow-part-')), 'part')));
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(join(path, '..'), { recursive: true });
});

const content = randomBytes(3_000_000);
const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface Handle {
  writev: (this: Handle, buffers: readonly Uint8Array[]) => Promise<{ readonly bytesWritten: number }>;
}

/** Where the methods of all open files are. */
async function fileHandlePrototype(): Promise<Handle> {
  const handle = await open(join(path, '..', 'probe'), 'w');
  await handle.close();
  return Object.getPrototypeOf(handle) as Handle;
}

test('pieces that are added without waiting arrive in order, with their hash', async () => {
  const part = await openPartFile(path);
  const pieces = [content.subarray(0, 10), content.subarray(10, 1_000_000), content.subarray(1_000_000)];
  const written = pieces.map((piece) => part.append(piece));
  expect(part.acceptedBytes).toBe(content.length);
  await Promise.all(written);
  expect(part.sizeBytes).toBe(content.length);
  expect(part.digest()).toBe(sha256Of(content));
  await part.sync();
  await part.close();
  expect(sha256Of(await readFile(path))).toBe(sha256Of(content));
});

test('a part that is opened again goes on with its bytes and its hash', async () => {
  await writeFile(path, content.subarray(0, 1_500_000));
  const part = await openPartFile(path);
  expect(part.sizeBytes).toBe(1_500_000);
  expect(part.digest()).toBe(sha256Of(content.subarray(0, 1_500_000)));
  await part.append(content.subarray(1_500_000));
  expect(part.digest()).toBe(sha256Of(content));
  await part.close();
  expect(sha256Of(await readFile(path))).toBe(sha256Of(content));
});

test('a part that is cleared begins anew', async () => {
  const part = await openPartFile(path);
  void part.append(content);
  await part.clear();
  expect([part.sizeBytes, part.acceptedBytes]).toEqual([0, 0]);
  await part.append(Buffer.from('new'));
  expect(part.digest()).toBe(sha256Of(Buffer.from('new')));
  await part.close();
  expect(await readFile(path, 'utf8')).toBe('new');
});

test('a disk that takes a part at a time gets everything', async () => {
  const prototype = await fileHandlePrototype();
  const { writev } = prototype;
  vi.spyOn(prototype, 'writev').mockImplementation(function (this: Handle, [first = Buffer.alloc(0)]) {
    return writev.call(this, [first.subarray(0, 700_000)]);
  });
  const part = await openPartFile(path);
  await Promise.all([part.append(content.subarray(0, 1_000_000)), part.append(content.subarray(1_000_000))]);
  await part.close();
  expect(sha256Of(await readFile(path))).toBe(sha256Of(content));
});

test('after a write that failed nothing is accepted, until the part is opened again', async () => {
  const part = await openPartFile(path, { advice: { whenFull: 'Make room.' } });
  await part.append(content.subarray(0, 100));
  const prototype = await fileHandlePrototype();
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  vi.spyOn(prototype, 'writev').mockRejectedValueOnce(full);
  const failure = { code: 'disk-full', hint: 'Make room.' };
  await expect(part.append(content.subarray(100, 200))).rejects.toMatchObject(failure);
  await expect(part.append(content.subarray(200, 300))).rejects.toMatchObject(failure);
  await expect(part.flush()).rejects.toMatchObject(failure);
  expect(part.sizeBytes).toBe(100);
  await part.close();
  const again = await openPartFile(path);
  await again.append(content.subarray(100));
  expect(again.digest()).toBe(sha256Of(content));
  await again.close();
});

test.runIf(process.platform === 'linux')('a device that is full is named so', async () => {
  const part = await openPartFile('/dev/full');
  await expect(part.append(content)).rejects.toMatchObject({ code: 'disk-full' });
  await part.close();
});

test('a part that cannot be opened is explained', async () => {
  await expect(openPartFile(join(path, 'none'), { advice: { whenRefused: 'Move it.' } })).rejects.toMatchObject({
    code: 'output-unwritable',
    hint: 'Move it.',
  });
});

test.skipIf(process.platform === 'win32')('a part is only for its user where that is asked', async () => {
  await (await openPartFile(path, { mode: 0o600 })).close();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});
