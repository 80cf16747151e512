// An ArtifactStore whose bytes lie in this process. Whoever asks for a path gets a file in a folder that stands for the disk
// of a machine: filled from memory, and empty again where another one asks.

import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import type { ArtifactStore, Withdrawal } from '../../companion-server/src/artifacts/artifact-store.ts';
import { namesOf, type ArtifactId } from '../../companion-server/src/artifacts/ids.ts';
import { inOneStep } from '../../companion-server/src/store/in-one-step.ts';

export interface MemoryArtifacts extends ArtifactStore {
  /** Every file that is kept, sorted. */
  ids(): readonly ArtifactId[];
  /** What was set aside. */
  readonly setAsideIds: readonly ArtifactId[];
  /** Another machine, with an empty disk, on what is kept. */
  elsewhere(): Promise<MemoryArtifacts>;
  /** Removes the machine's disk. */
  close(): Promise<void>;
}

type Files = Map<ArtifactId, Buffer>;

export async function openMemoryArtifacts(files: Files = new Map()): Promise<MemoryArtifacts> {
  const disk = await mkdtemp(join(tmpdir(), 'tokenflow-memory-artifacts-'));
  const setAsideIds: ArtifactId[] = [];
  const pathOf = (id: ArtifactId): string => join(disk, ...namesOf(id));
  /** The file of that id, and every file below it. */
  const below = (id: ArtifactId): readonly ArtifactId[] =>
    [...files.keys()].filter((known) => known === id || known.startsWith(`${id}/`));

  async function take(id: ArtifactId): Promise<Files> {
    const taken: Files = new Map();
    for (const one of below(id)) {
      const bytes = files.get(one);
      if (bytes !== undefined) taken.set(one, bytes);
      files.delete(one);
    }
    await rm(pathOf(id), { recursive: true, force: true });
    return taken;
  }

  /** The files that lie at a path of the disk. */
  async function filesAt(path: string): Promise<readonly string[]> {
    const found = await stat(path).catch(() => null);
    if (found === null) return [];
    if (found.isFile()) return [path];
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  }

  return {
    setAsideIds,
    ids: () => [...files.keys()].sort(),
    elsewhere: () => openMemoryArtifacts(files),
    close: () => rm(disk, { recursive: true, force: true }),
    facts: inOneStep((id: ArtifactId) => {
      const bytes = files.get(namesOf(id).join('/'));
      return bytes === undefined ? null : { sizeBytes: bytes.length };
    }),
    read(id, firstByte) {
      const bytes = files.get(id);
      if (bytes === undefined) return Promise.reject(new Error(`There is no artifact ${id}.`));
      let position = firstByte;
      return Promise.resolve({
        read(buffer: Uint8Array) {
          const piece = bytes.subarray(position, position + buffer.length);
          buffer.set(piece);
          position += piece.length;
          return Promise.resolve(piece.length);
        },
        close: () => Promise.resolve(),
      });
    },
    list: inOneStep((folder: ArtifactId) => {
      const depth = namesOf(folder).length + 1;
      const names = below(folder).filter((id) => id !== folder);
      return [...new Set(names.map((id) => id.split('/').slice(0, depth).join('/')))];
    }),
    async put(id, file) {
      await rm(pathOf(id), { recursive: true, force: true });
      files.set(namesOf(id).join('/'), await readFile(file));
      await rm(file);
    },
    async localPath(id) {
      const path = pathOf(id);
      if ((await filesAt(path)).length > 0) return path;
      for (const one of below(id)) {
        await mkdir(dirname(pathOf(one)), { recursive: true });
        // Whole or not at all, as a download would be.
        await writeFile(`${pathOf(one)}.part`, files.get(one) ?? '');
        await rename(`${pathOf(one)}.part`, pathOf(one));
      }
      await mkdir(dirname(path), { recursive: true });
      return path;
    },
    async commit(id) {
      const kept = new Set<ArtifactId>();
      for (const file of await filesAt(pathOf(id))) {
        const one = relative(disk, file).split(sep).join('/');
        files.set(one, await readFile(file));
        kept.add(one);
      }
      for (const one of below(id)) if (!kept.has(one)) files.delete(one);
    },
    async withdraw(id): Promise<Withdrawal> {
      const taken = await take(id);
      return {
        delete: () => Promise.resolve(),
        restore() {
          for (const [one, bytes] of taken) files.set(one, bytes);
          return Promise.resolve();
        },
      };
    },
    async remove(id) {
      await take(id);
    },
    async setAside(id) {
      setAsideIds.push(id);
      await take(id);
    },
  };
}
