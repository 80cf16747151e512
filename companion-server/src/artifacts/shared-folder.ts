// Objects as files in a folder that several machines have mounted (NFS, SMB).

import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, open, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing } from '../files/disk-error.ts';
import { syncFolder } from '../files/sync.ts';
import { namesOf } from './ids.ts';
import type { ObjectStorage, StoredObject } from './object-storage.ts';

/** Files that are being written: they get their names when they are whole. */
const arrivals = '.arriving';

/** How often a folder is made again that another process has removed, because it was empty, before a file came into it. */
const maxTries = 5;

/** `root`: the folder's absolute path on this machine; it must be there, so that a share that is not mounted is noticed. */
export function createSharedFolder(root: string): ObjectStorage {
  const pathOf = (key: string): string => join(root, ...namesOf(key));

  async function statOf(key: string): Promise<StoredObject | null> {
    try {
      const found = await stat(pathOf(key), { bigint: true });
      if (!found.isFile()) return null;
      const version = `${found.mtimeNs}-${found.size}-${found.ino}`;
      return { key, sizeBytes: Number(found.size), version };
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  async function moveTo(from: string, key: string): Promise<void> {
    const path = pathOf(key);
    for (let tries = 1; ; tries++) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      try {
        await rename(from, path);
        break;
      } catch (error) {
        if (!isMissing(error) || tries >= maxTries) throw error;
      }
    }
    await syncFolder(dirname(path));
  }

  /** A folder is there as long as something is in it, as in a bucket. */
  async function removeEmptyFolders(key: string): Promise<void> {
    const names = namesOf(key).slice(0, -1);
    for (; names.length > 0; names.pop()) {
      try {
        await rmdir(join(root, ...names));
      } catch {
        return;
      }
    }
  }

  return {
    stat: statOf,
    async listBelow(folder) {
      const path = pathOf(folder);
      const found: (StoredObject | null)[] = [];
      const keys = [folder];
      for (let key = keys.pop(); key !== undefined; key = keys.pop()) {
        for (const entry of await entriesIn(key === folder ? path : pathOf(key))) {
          if (entry.isDirectory()) keys.push(`${key}/${entry.name}`);
          else found.push(await statOf(`${key}/${entry.name}`));
        }
      }
      return found.filter((object) => object !== null);
    },
    async namesIn(folder) {
      return (await entriesIn(pathOf(folder))).map(({ name }) => name);
    },
    async read(key, firstByte) {
      const file = await open(pathOf(key), 'r');
      return file.createReadStream({ start: firstByte }) as AsyncIterable<Uint8Array>;
    },
    async write(key, source) {
      const arriving = join(root, arrivals, randomBytes(16).toString('hex'));
      await mkdir(join(root, arrivals), { recursive: true, mode: 0o700 });
      try {
        if (typeof source === 'string') await copyFile(source, arriving);
        else await writeFile(arriving, source);
        const file = await open(arriving, 'r+');
        await file.sync().finally(() => file.close());
        await moveTo(arriving, key);
      } catch (error) {
        await rm(arriving, { force: true });
        throw error;
      }
      const written = await statOf(key);
      if (written === null) throw new Error(`The shared folder has lost '${key}' right after it was written.`);
      return written;
    },
    async move(from, to) {
      await moveTo(pathOf(from), to);
      await removeEmptyFolders(from);
    },
    async delete(key) {
      await rm(pathOf(key), { force: true, maxRetries: 3 });
      await removeEmptyFolders(key);
    },
  };
}

/** None where there is no folder: nothing, or a file. */
async function entriesIn(path: string) {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ENOTDIR') return [];
    throw error;
  }
}
