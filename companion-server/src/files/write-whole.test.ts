import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openPart, removeAbandoned, writeWhole } from './write-whole.ts';

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

it('writes a text', async () => {
  await writeWhole(join(dir, 'file'), 'Grüße');
  expect(await readFile(join(dir, 'file'), 'utf8')).toBe('Grüße');
});

it('leaves failures of whoever makes the content as they are', async () => {
  const missing = writeWhole(join(dir, 'file'), async () => {
    await readFile(join(dir, 'source'));
  });
  await expect(missing).rejects.toMatchObject({ code: 'ENOENT' });
});

it('lets another program write, and puts its file in the place of an older one', async () => {
  const path = join(dir, 'out.mov');
  await writeFile(path, 'older');
  const part = await openPart(path);
  await writeFile(part.path, 'newer');
  expect(await readFile(path, 'utf8')).toBe('older');
  await part.commit();
  await part.discard();
  expect(await readdir(dir)).toEqual(['out.mov']);
  expect(await readFile(path, 'utf8')).toBe('newer');
});

it('keeps the older file where the new one cannot take its name, and leaves nothing', async () => {
  await mkdir(join(dir, 'taken', 'inside'), { recursive: true });
  const part = await openPart(join(dir, 'taken'), { whenRefused: 'Choose another name.' });
  await expect(part.commit()).rejects.toMatchObject({ code: 'output-unwritable', hint: 'Choose another name.' });
  await part.discard();
  expect(await readdir(dir)).toEqual(['taken']);
});

it('removes what killed writers of the same file left, and nothing else', async () => {
  const deadProcess = 2 ** 22 + 1; // above the largest process id of Linux
  const kept = [
    `.file.${process.ppid}.0123456789ab.tmp`,
    `.other.${deadProcess}.0123456789ab.tmp`,
    `file.${deadProcess}.notes.tmp`,
  ];
  for (const name of [...kept, `.file.${deadProcess}.0123456789ab.tmp`]) await writeFile(join(dir, name), '');
  await writeWhole(join(dir, 'file'), 'x');
  expect((await readdir(dir)).sort()).toEqual([...kept, 'file'].sort());
  await removeAbandoned(dir);
  expect((await readdir(dir)).sort()).toEqual([...kept.filter((name) => !name.startsWith('.other')), 'file'].sort());
});

it('takes the part away when the process exits in the middle', async () => {
  const script = `
    import { openPart } from ${JSON.stringify(new URL('./write-whole.ts', import.meta.url).href)};
    const part = await openPart(${JSON.stringify(join(dir, 'file'))});
    await part.file.write('half');
    process.stdout.write(part.path, () => process.exit(3));`;
  const run = promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
  const { stdout, code } = await run.then(
    () => ({ stdout: '', code: 0 }),
    (error: unknown) => error as { readonly stdout: string; readonly code: number },
  );
  expect(code).toBe(3);
  expect(stdout).toContain(join(dir, '.file.'));
  expect(await readdir(dir)).toEqual([]);
});
