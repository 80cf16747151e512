// Artifacts as files below the data folder, each at the path that its id is.

import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing } from '../files/disk-error.ts';
import { syncFolder } from '../files/sync.ts';
import type { ArtifactStore } from './artifact-store.ts';
import { artifactName, clipsFolder, jobsFolder, namesOf, type ArtifactId } from './ids.ts';

export interface LocalArtifactsOptions {
  /** Absolute. */
  readonly dataDir: string;
  /** Takes unknown files. Never rejects. */
  readonly setAside: (path: string) => Promise<void>;
}

/**
 * What is on its way out begins with this. A name made up for it has the bytes of what was withdrawn; behind it the name
 * of a neighbour says that the neighbour is to go.
 */
const removedPrefix = 'removed-';

/** Opens the store, and ends the removals that an earlier process has begun. */
export async function openLocalArtifacts({ dataDir, setAside }: LocalArtifactsOptions): Promise<ArtifactStore> {
  const pathOf = (id: ArtifactId): string => join(dataDir, ...namesOf(id));
  /** Says of an artifact that cannot be moved that it is to go. */
  const markOf = (id: ArtifactId): string => join(dirname(pathOf(id)), `${removedPrefix}${artifactName(id)}`);

  for (const folder of [clipsFolder, jobsFolder]) {
    const path = pathOf(folder);
    await mkdir(path, { recursive: true, mode: 0o700 });
    for (const name of await readdir(path)) {
      if (!name.startsWith(removedPrefix)) continue;
      await remove(join(path, name.slice(removedPrefix.length)));
      await remove(join(path, name));
    }
  }

  /** Brings the names from the artifact's up to the data folder's to the disk. */
  async function commit(id: ArtifactId): Promise<void> {
    let folder = dirname(pathOf(id));
    for (let depth = namesOf(id).length; depth > 1; depth--) {
      await syncFolder(folder);
      folder = dirname(folder);
    }
  }

  /** Where the bytes of the artifact are then; null where there are none. */
  async function moveOut(id: ArtifactId): Promise<string | null> {
    const removed = join(dirname(pathOf(id)), `${removedPrefix}${randomBytes(8).toString('hex')}`);
    try {
      await rename(pathOf(id), removed);
      return removed;
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  return {
    commit,
    async facts(id) {
      try {
        const found = await stat(pathOf(id));
        return found.isFile() ? { sizeBytes: found.size } : null;
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    async read(id, firstByte) {
      const file = await open(pathOf(id), 'r');
      let position = firstByte;
      return {
        async read(buffer) {
          const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
          position += bytesRead;
          return bytesRead;
        },
        close: () => file.close(),
      };
    },
    async list(folder) {
      try {
        return (await readdir(pathOf(folder))).map((name) => `${folder}/${name}`);
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    },
    async put(id, file) {
      const path = pathOf(id);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await remove(markOf(id));
      await rename(file, path);
      await commit(id);
    },
    localPath: (id) => Promise.resolve(id).then(pathOf),
    async withdraw(id) {
      const removed = await moveOut(id);
      if (removed === null) return { delete: () => Promise.resolve(), restore: () => Promise.resolve() };
      return { delete: () => remove(removed), restore: () => rename(removed, pathOf(id)) };
    },
    async remove(id) {
      let removed: string | null;
      try {
        removed = await moveOut(id);
      } catch {
        // Windows moves no folder with an open file, but may delete it: then, or at the next start.
        await writeFile(markOf(id), '');
        await remove(pathOf(id));
        removed = markOf(id);
      }
      if (removed !== null) await remove(removed);
    },
    setAside: (id) => setAside(pathOf(id)),
  };
}

function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 3 });
}
