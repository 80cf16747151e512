// Artifacts in a place that several machines share, with a mirror on this one. ffmpeg and the engine read and write the
// mirror; `commit` brings what they have written to the others.
//
// A folder (the work of a job) is stored as of one moment: its files get new keys, and a manifest that is written last
// says which keys belong together. Who is killed in between leaves the manifest of the step before, and its files.

import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isMissing } from '../files/disk-error.ts';
import type { ArtifactReader, ArtifactStore } from './artifact-store.ts';
import { artifactName, namesOf, type ArtifactId } from './ids.ts';
import type { ObjectStorage, StoredObject } from './object-storage.ts';

export interface MirroredArtifactsOptions {
  readonly storage: ObjectStorage;
  /** Absolute path of a folder of this process alone. It is emptied first. */
  readonly mirrorDir: string;
  /** Whether removals that a process did not live to end are ended at the start. One process of many is enough. Default: true. */
  readonly endsRemovals?: boolean;
  /** Called with the reason when files could not be set aside. */
  readonly onUnmoved?: (id: ArtifactId, error: unknown) => void;
  readonly now?: () => Date;
}

export interface MirroredArtifacts extends ArtifactStore {
  /** Deletes the copies of a file or folder on this machine. What is stored stays. Nobody may be using them. */
  forget(id: ArtifactId): Promise<void>;
}

const withdrawnFolder = '.withdrawn';
const removalsFolder = '.removals';
const setAsideFolder = '.set-aside';

/** After this time the process that has withdrawn something is taken to have ended. */
const withdrawalMs = 24 * 60 * 60 * 1000;

const manifestName = '.manifest';

/** How often a folder is copied whose JSON files change meanwhile. */
const maxCopies = 5;

/** The keys of a folder's files, by their path in it. */
type Manifest = Readonly<Record<string, string>>;

/** The object whose bytes a file of the mirror has, and what the file was like then. */
interface MirroredFile {
  readonly key: string;
  readonly version: string;
  readonly stamp: string;
}

/** Opens the store, and ends the removals that a process has begun that has ended. */
export async function openMirroredArtifacts(options: MirroredArtifactsOptions): Promise<MirroredArtifacts> {
  const { storage, mirrorDir, endsRemovals = true, onUnmoved = () => undefined, now = () => new Date() } = options;
  const pathOf = (id: ArtifactId): string => join(mirrorDir, ...namesOf(id));
  /** By the file's path. */
  const mirrored = new Map<string, MirroredFile>();
  const fetching = new Map<string, Promise<void>>();
  const snapshotsDir = join(mirrorDir, '.snapshots');

  await rm(mirrorDir, { recursive: true, force: true, maxRetries: 3 });
  await mkdir(snapshotsDir, { recursive: true, mode: 0o700 });
  if (endsRemovals) await endRemovals();

  async function endRemovals(): Promise<void> {
    for (const { key } of await storage.listBelow(removalsFolder)) {
      const note = await bytesOf(key).catch(async (error: unknown) => {
        // Its process lives, and has ended the removal itself.
        if ((await storage.stat(key)) === null) return null;
        throw error;
      });
      if (note === null) continue;
      const objects = JSON.parse(note.toString()) as readonly StoredObject[];
      // What was written since is another object.
      for (const old of objects) {
        if ((await storage.stat(old.key))?.version === old.version) await storage.delete(old.key);
      }
      await storage.delete(key);
    }
    for (const name of await storage.namesIn(withdrawnFolder)) {
      const since = Number(name.slice(0, name.indexOf('-')));
      if (now().getTime() - since < withdrawalMs) continue;
      for (const { key } of await storage.listBelow(`${withdrawnFolder}/${name}`)) await storage.delete(key);
    }
  }

  async function bytesOf(key: string): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for await (const piece of await storage.read(key, 0)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async function manifestOf(folder: ArtifactId): Promise<Manifest | null> {
    const key = `${folder}/${manifestName}`;
    return (await storage.stat(key)) === null ? null : (JSON.parse((await bytesOf(key)).toString()) as Manifest);
  }

  async function forget(id: ArtifactId): Promise<void> {
    const path = pathOf(id);
    for (const known of mirrored.keys()) if (known === path || isBelow(known, path)) mirrored.delete(known);
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }

  async function isMirrored(path: string, { key, version }: StoredObject): Promise<boolean> {
    const known = mirrored.get(path);
    return known?.key === key && known.version === version && known.stamp === (await stampOf(path));
  }

  async function download(object: StoredObject, path: string): Promise<void> {
    const part = join(snapshotsDir, randomBytes(8).toString('hex'));
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    try {
      await pipeline(Readable.from(await storage.read(object.key, 0)), createWriteStream(part, { mode: 0o600 }));
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
    mirrored.set(path, { ...object, stamp: await stampOf(path) });
  }

  async function fetchTo(object: StoredObject, path: string): Promise<void> {
    if (await isMirrored(path, object)) return;
    const running = fetching.get(path);
    if (running !== undefined) return running;
    const fetched = download(object, path).finally(() => fetching.delete(path));
    fetching.set(path, fetched);
    return fetched;
  }

  /** Brings a folder to the state that is stored. Does nothing where none is. */
  async function fetchFolder(folder: ArtifactId, path: string): Promise<void> {
    const manifest = await manifestOf(folder);
    const objects = await storage.listBelow(folder);
    const byKey = new Map(objects.map((object) => [object.key, object]));
    const files =
      manifest === null
        ? objects.map((object) => [object.key.slice(folder.length + 1), object] as const)
        : Object.entries(manifest).map(([name, key]) => [name, byKey.get(key)] as const);
    if (manifest === null && files.length === 0) return;
    await mkdir(path, { recursive: true, mode: 0o700 });
    const kept = new Set(files.map(([name]) => name));
    for (const name of await filesBelow(path)) if (!kept.has(name)) await rm(join(path, name), { force: true });
    for (const [name, object] of files) {
      if (object === undefined) throw new Error(`'${folder}' in the shared storage lacks its file '${name}'.`);
      await fetchTo(object, join(path, ...namesOf(name)));
    }
  }

  /**
   * Copies a folder as of one moment. Its JSON files say which parts of the others count: as long as they are the same
   * before and after, what has changed elsewhere is not counted yet. Throws when they change each time.
   */
  async function snapshot(
    path: string,
  ): Promise<{ readonly dir: string; readonly stamps: ReadonlyMap<string, string> }> {
    const dir = join(snapshotsDir, randomBytes(8).toString('hex'));
    for (let tries = 1; ; tries++) {
      const names = await filesBelow(path);
      const stamps = new Map<string, string>();
      const pointers = await pointersOf(path, names);
      for (const name of names) {
        const file = join(path, name);
        stamps.set(name, await stampOf(file));
        if (mirrored.get(file)?.stamp === stamps.get(name)) continue;
        await mkdir(dirname(join(dir, name)), { recursive: true, mode: 0o700 });
        await copyFile(file, join(dir, name));
      }
      if ((await pointersOf(path, await filesBelow(path))) === pointers) return { dir, stamps };
      await rm(dir, { recursive: true, force: true });
      if (tries >= maxCopies)
        throw new Error(`The folder '${artifactName(path)}' changes faster than it can be copied.`);
    }
  }

  async function commitFolder(folder: ArtifactId, path: string): Promise<void> {
    const before = (await manifestOf(folder)) ?? {};
    const { dir, stamps } = await snapshot(path);
    const manifest: Record<string, string> = {};
    const sent: (readonly [string, MirroredFile])[] = [];
    try {
      for (const [name, stamp] of stamps) {
        const file = join(path, name);
        const known = mirrored.get(file);
        if (known !== undefined && known.stamp === stamp && before[name] === known.key) {
          manifest[name] = known.key;
          continue;
        }
        const key = `${folder}/${randomBytes(8).toString('hex')}`;
        const { version } = await storage.write(key, join(dir, name));
        sent.push([file, { key, version, stamp }]);
        manifest[name] = key;
      }
      await storage.write(`${folder}/${manifestName}`, Buffer.from(JSON.stringify(manifest)));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
    // Only what a manifest names is there for the next step.
    for (const [file, mirroredFile] of sent) mirrored.set(file, mirroredFile);
    const kept = new Set([...Object.values(manifest), `${folder}/${manifestName}`]);
    for (const { key } of await storage.listBelow(folder)) if (!kept.has(key)) await storage.delete(key);
  }

  async function objectsOf(id: ArtifactId): Promise<readonly StoredObject[]> {
    const file = await storage.stat(id);
    return [...(file === null ? [] : [file]), ...(await storage.listBelow(id))];
  }

  async function moveAll(id: ArtifactId, folder: string): Promise<readonly string[]> {
    const keys = (await objectsOf(id)).map(({ key }) => key);
    for (const key of keys) await storage.move(key, `${folder}/${key}`);
    await forget(id);
    return keys;
  }

  return {
    forget,
    async facts(id) {
      namesOf(id);
      const found = await storage.stat(id);
      return found === null ? null : { sizeBytes: found.sizeBytes };
    },
    async read(id, firstByte) {
      namesOf(id);
      return readerOf(await storage.read(id, firstByte));
    },
    async list(folder) {
      namesOf(folder);
      const manifest = await manifestOf(folder);
      const names = manifest === null ? await storage.namesIn(folder) : Object.keys(manifest).map(firstName);
      return [...new Set(names)].map((name) => `${folder}/${name}`);
    },
    async put(id, file) {
      namesOf(id);
      await storage.write(id, file);
      await forget(id);
      await rm(file);
    },
    async localPath(id) {
      const path = pathOf(id);
      const file = await storage.stat(id);
      if (file === null) await fetchFolder(id, path);
      else await fetchTo(file, path);
      return path;
    },
    async commit(id) {
      const path = pathOf(id);
      if ((await stat(path)).isDirectory()) return commitFolder(id, path);
      const stamp = await stampOf(path);
      const known = mirrored.get(path);
      if (known?.stamp === stamp && (await storage.stat(id))?.version === known.version) return;
      mirrored.set(path, { ...(await storage.write(id, path)), stamp });
    },
    async withdraw(id) {
      const folder = `${withdrawnFolder}/${now().getTime()}-${randomBytes(8).toString('hex')}`;
      const keys = await moveAll(id, folder);
      return {
        async delete() {
          for (const key of keys) await storage.delete(`${folder}/${key}`);
        },
        async restore() {
          for (const key of keys) await storage.move(`${folder}/${key}`, key);
        },
      };
    },
    async remove(id) {
      namesOf(id);
      const objects = await objectsOf(id);
      if (objects.length > 0) {
        const note = `${removalsFolder}/${randomBytes(8).toString('hex')}`;
        if (objects.length > 1) await storage.write(note, Buffer.from(JSON.stringify(objects)));
        for (const { key } of objects) await storage.delete(key);
        if (objects.length > 1) await storage.delete(note);
      }
      await forget(id);
    },
    async setAside(id) {
      try {
        await moveAll(id, `${setAsideFolder}/${now().toISOString().replaceAll(':', '-')}`);
      } catch (error) {
        onUnmoved(id, error);
      }
    },
  };
}

function readerOf(source: AsyncIterable<Uint8Array>): ArtifactReader {
  const pieces = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  return {
    async read(buffer) {
      while (rest.length === 0) {
        const next = await pieces.next();
        if (next.done === true) return 0;
        rest = next.value;
      }
      const count = Math.min(rest.length, buffer.length);
      buffer.set(rest.subarray(0, count));
      rest = rest.subarray(count);
      return count;
    },
    async close() {
      await pieces.return?.();
    },
  };
}

/** Another one after each change of the file. */
async function stampOf(path: string): Promise<string> {
  try {
    const { mtimeNs, size, ino } = await stat(path, { bigint: true });
    return `${mtimeNs}-${size}-${ino}`;
  } catch (error) {
    if (isMissing(error)) return 'missing';
    throw error;
  }
}

/** Paths of files below a folder, with `/`; none where there is no folder. */
async function filesBelow(path: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) =>
        join(parentPath, name)
          .slice(path.length + 1)
          .replaceAll('\\', '/'),
      );
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function pointersOf(path: string, names: readonly string[]): Promise<string> {
  const texts = names
    .filter((name) => name.endsWith('.json'))
    .map(async (name) => [
      name,
      await readFile(join(path, name), 'utf8').catch((error: unknown) => {
        if (isMissing(error)) return null;
        throw error;
      }),
    ]);
  return JSON.stringify(await Promise.all(texts));
}

const firstName = (path: string): string => path.split('/')[0] ?? path;

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder) && /^[\\/]/.test(path.slice(folder.length));
}
