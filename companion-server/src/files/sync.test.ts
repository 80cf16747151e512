import { mkdir, mkdtemp, open, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { renameDurably, syncFile, syncFolder } from './sync.ts';

let dir: string;
beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'tokenflow-sync-'))));
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(dir, { recursive: true });
});

/** The call by which an open file or folder is brought to the disk. */
async function spyOnSync() {
  const handle = await open(dir, 'r');
  await handle.close();
  return vi.spyOn(Object.getPrototypeOf(handle) as typeof handle, 'sync');
}

// Windows cannot open a folder.
const testFolders = test.skipIf(process.platform === 'win32');

testFolders('a file takes the place of another, and the folder of its new name is brought to the disk', async () => {
  await mkdir(join(dir, 'to'));
  await writeFile(join(dir, 'a'), 'new');
  await writeFile(join(dir, 'to', 'b'), 'old');
  const sync = await spyOnSync();
  await renameDurably(join(dir, 'a'), join(dir, 'to', 'b'));
  expect(await readdir(dir)).toEqual(['to']);
  expect(await readFile(join(dir, 'to', 'b'), 'utf8')).toBe('new');
  expect(sync).toHaveBeenCalledOnce();
});

testFolders('a file is brought to the disk without being changed, and one that is missing is told', async () => {
  await writeFile(join(dir, 'a'), 'content');
  const sync = await spyOnSync();
  await syncFile(join(dir, 'a'));
  expect(sync).toHaveBeenCalledOnce();
  expect(await readFile(join(dir, 'a'), 'utf8')).toBe('content');
  await expect(syncFile(join(dir, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
});

testFolders.each(['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP'])(
  'a folder that the file system cannot flush (%s) is left',
  async (code) => {
    const sync = await spyOnSync();
    sync.mockRejectedValueOnce(Object.assign(new Error(code), { code }));
    await syncFolder(dir);
    expect(sync).toHaveBeenCalledOnce();
  },
);

testFolders('a disk that fails while a folder is flushed is told, and so is a folder that is missing', async () => {
  const failure = Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
  (await spyOnSync()).mockRejectedValueOnce(failure);
  await expect(syncFolder(dir)).rejects.toBe(failure);
  await expect(syncFolder(join(dir, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
});
