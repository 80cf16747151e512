import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { writeWhole } from './write-whole.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'write-whole-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(dir, { recursive: true });
});

const bytes = (text: string) => new TextEncoder().encode(text);

it('replaces the file when everything was written', async () => {
  const path = join(dir, 'file');
  await writeFile(path, 'old');
  await writeWhole(path, async (append) => {
    await append(bytes('new '));
    expect(await readFile(path, 'utf8')).toBe('old');
    await append(bytes('content'));
  });
  expect(await readFile(path, 'utf8')).toBe('new content');
  expect(await readdir(dir)).toEqual(['file']);
});

it('leaves the old file and nothing else when writing fails', async () => {
  const path = join(dir, 'file');
  await writeFile(path, 'old');
  const failing = writeWhole(path, async (append) => {
    await append(bytes('half'));
    throw new Error('stopped');
  });
  await expect(failing).rejects.toThrow('stopped');
  expect(await readFile(path, 'utf8')).toBe('old');
  expect(await readdir(dir)).toEqual(['file']);
});

it('says when the disk is full, and leaves nothing', async () => {
  const handle = await open(join(dir, 'probe'), 'w');
  await handle.close();
  await rm(join(dir, 'probe'));
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  vi.spyOn(Object.getPrototypeOf(handle) as typeof handle, 'write').mockRejectedValue(full);
  const writing = writeWhole(join(dir, 'file'), (append) => append(bytes('x')));
  await expect(writing).rejects.toMatchObject({ code: 'disk-full', cause: full });
  expect(await readdir(dir)).toEqual([]);
});

it('says when the folder is not there', async () => {
  const writing = writeWhole(join(dir, 'none', 'file'), (append) => append(bytes('x')));
  await expect(writing).rejects.toMatchObject({ code: 'output-unwritable' });
});
