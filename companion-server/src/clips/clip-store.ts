// The clips that clients have sent, each kept once by its content until its last owner deletes it, and the uploads on
// their way. Both outlive connections and the server. No part of a file name here comes from a client, except an ending
// from the protocol's list.

import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { maxClips } from '../../../protocol/limits.ts';
import { pictureExtensions } from '../../../protocol/messages/clip-messages.ts';
import type { MediaFacts } from '../../../protocol/media-facts.ts';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import { artifactName, clipArtifact, clipsFolder } from '../artifacts/ids.ts';
import { EditError } from '../errors.ts';
import { isFullDisk } from '../files/disk-error.ts';
import { freeBytesAt } from '../files/free-space.ts';
import type { Database } from '../store/database.ts';
import type { SetAside } from '../store/orphaned-files.ts';
import { nameFiles } from '../without-paths.ts';
import type { Clip, Upload } from './clip.ts';
import { createClipTable, type ClipRow } from './clip-table.ts';
import { createKeyedTurns } from './turns.ts';
import { createUploads, type UploadRequest } from './uploads.ts';

export interface ClipStore {
  /**
   * Begins an upload, or continues the owner's upload of that id; an id that is not known (any more) begins a new one. A
   * clip that the owner has sent before counts as received. Throws EditError 'disk-full' or 'limit-reached'.
   */
  begin(owner: string, request: UploadRequest): Promise<Upload>;
  /** Throws EditError 'clip-missing' when the owner has no such clip. */
  get(owner: string, clipId: string): Promise<Clip>;
  /** The clip of these bytes. Throws EditError 'clip-missing' when the owner has none. */
  withHash(owner: string, sha256: string): Promise<Clip>;
  /** Removes the clip from its owner; its file is deleted with its last owner. Does nothing when there is no such clip. */
  remove(owner: string, clipId: string): Promise<void>;
  /** Removes clips that were not used for 30 days, except those that `isNeeded`. */
  removeUnused(isNeeded: (owner: string, clipId: string) => Promise<boolean>): Promise<void>;
  /** Closes the files of open uploads. */
  close(): Promise<void>;
}

export interface ClipStoreOptions {
  /** With the tables of tables.ts. */
  readonly database: Database;
  /** Where the bytes of clips are kept. */
  readonly artifacts: ArtifactStore;
  /** Absolute path. Running uploads get a folder in it. */
  readonly dataDir: string;
  /** Probes a clip, within limits. Throws EditError when it is not a video that can be edited. */
  readonly probe: (path: string) => Promise<MediaFacts>;
  /** Writes a picture as a clip of one frame to `clip`. Throws EditError when it is no picture. */
  readonly fromPicture: (picture: string, clip: string) => Promise<void>;
  /** Takes files of uploads that no row names. */
  readonly setAside: SetAside;
  /** Called with the reason when an unimportant write failed: when a clip was last used, that an upload has ended. */
  readonly onUnwritten?: (error: unknown) => void;
  /** Called after an owner's clip was removed. */
  readonly onRemoved?: (owner: string, clipId: string) => Promise<void>;
  /** Milliseconds. Default: the clock. */
  readonly now?: () => number;
}

const day = 24 * 60 * 60 * 1_000;
const clipLifetimeMs = 30 * day;

/** Opens the store. Sets files aside that no row names, and removes rows whose file is missing. */
export async function openClipStore({
  database,
  artifacts,
  dataDir,
  probe,
  fromPicture,
  setAside,
  onUnwritten = () => undefined,
  onRemoved = () => Promise.resolve(),
  now = Date.now,
}: ClipStoreOptions): Promise<ClipStore> {
  const uploadsDir = join(dataDir, 'uploads');
  await mkdir(uploadsDir, { recursive: true, mode: 0o700 });
  const table = createClipTable(database);
  const toClip = (row: ClipRow): Clip => ({ ...row, artifact: clipArtifact(row.fileName) });
  const isThere = async (row: ClipRow): Promise<boolean> =>
    (await artifacts.facts(clipArtifact(row.fileName))) !== null;
  /** A clip's file is added or removed as a whole: owners that do so at the same time wait for each other. */
  const turns = createKeyedTurns();

  for (const row of table.all()) if (await isGone(row)) table.delete(row.clipId);
  const clipNames = new Set(table.all().map(({ fileName }) => fileName));
  const uploadNames = new Set(table.uploads().map(({ uploadId }) => uploadId));
  for (const id of await artifacts.list(clipsFolder))
    if (!clipNames.has(artifactName(id))) await artifacts.setAside(id);
  await tidy(uploadsDir, (name) => uploadNames.has(name), setAside);

  /** False when the file only cannot be accessed. */
  async function isGone(row: ClipRow): Promise<boolean> {
    try {
      return !(await isThere(row));
    } catch {
      return false;
    }
  }

  /** Moves a complete upload to the clips, once it is known to be a video. */
  async function keep(owner: string, partPath: string, row: Omit<ClipRow, 'media'>): Promise<Clip> {
    const file = isPictureName(row.fileName) ? await clipOf(partPath) : partPath;
    const before = table.byHash(row.sha256);
    const media = before !== undefined && (await isThere(before)) ? before.media : await probePart(file);
    return turns.take(row.clipId, async () => {
      // Another client may have sent the same clip while this one was probed.
      const known = table.byHash(row.sha256);
      const clip = known ?? { ...row, media };
      const isKnown = known !== undefined && (await isThere(known));
      // First the row: a server that ends in between finds a clip without a file, and the upload whole.
      table.add(owner, clip, now());
      if (isKnown) await rm(file, { force: true });
      else {
        try {
          await artifacts.put(clipArtifact(clip.fileName), file);
        } catch (error) {
          table.release(owner, row.clipId);
          throw error;
        }
      }
      await rm(partPath, { force: true });
      return toClip(clip);
    });
  }

  /** Beside the upload, which stays as it is until its clip is kept. */
  async function clipOf(picture: string): Promise<string> {
    const file = `${picture}.clip`;
    try {
      await fromPicture(picture, file);
    } catch (error) {
      await rm(file, { force: true });
      throw nameFiles(error, { 'the picture': picture });
    }
    return file;
  }

  async function probePart(partPath: string): Promise<MediaFacts> {
    try {
      return await probe(partPath);
    } catch (error) {
      throw nameFiles(error, { 'the clip': partPath });
    }
  }

  /** Reading does not fail when the time of use cannot be written. */
  function noteUse(owner: string, clipId: string): void {
    try {
      table.touch(owner, clipId, now());
    } catch (error) {
      onUnwritten(error);
    }
  }

  const uploads = createUploads({
    table,
    uploadsDir,
    now,
    onUnwritten,
    keep,
    async knownClip(owner, sha256) {
      const row = table.ofOwnerByHash(owner, sha256);
      return row !== undefined && (await isThere(row)) ? toClip(row) : undefined;
    },
    requireRoom: (sizeBytes) => requireSpace(uploadsDir, sizeBytes),
  });
  await uploads.removeExpired();

  const remove = (owner: string, clipId: string): Promise<void> =>
    turns.take(clipId, async () => {
      if (table.ofOwner(owner, clipId) === undefined) return;
      await removeNow(owner, clipId);
      await onRemoved(owner, clipId);
    });

  /** @param name of the clip that was asked for */
  async function found(owner: string, row: ClipRow | undefined, name: string): Promise<Clip> {
    if (row === undefined || !(await isThere(row))) {
      throw new EditError('clip-missing', `There is no clip ${name} of this client.`, {
        hint: 'Upload the clip again.',
      });
    }
    noteUse(owner, row.clipId);
    return toClip(row);
  }

  async function removeNow(owner: string, clipId: string): Promise<void> {
    const row = table.ofOwner(owner, clipId);
    if (row === undefined) return;
    if (!table.isOnlyOwner(owner, clipId)) {
      table.release(owner, clipId);
      return;
    }
    // First the file: a server that ends in between leaves a row without a file, and a file that is marked for removal.
    const withdrawn = await artifacts.withdraw(clipArtifact(row.fileName));
    try {
      table.release(owner, clipId);
    } catch (error) {
      if (!isFullDisk(error)) {
        await withdrawn.restore();
        throw error;
      }
      // Its own bytes free the space that the change needs.
      await withdrawn.delete();
      table.release(owner, clipId);
      return;
    }
    await withdrawn.delete();
  }

  return {
    remove,
    async begin(owner, request) {
      const goesOn = request.uploadId !== null && table.uploadOf(owner, request.uploadId) !== undefined;
      if (!goesOn && table.countOf(owner) >= maxClips) {
        throw new EditError(
          'limit-reached',
          `A client may have ${maxClips} clips on the server, those on their way included.`,
          { hint: 'Delete clips that are not needed any more.' },
        );
      }
      await uploads.removeExpired();
      return uploads.begin(owner, request);
    },
    get: (owner, clipId) => found(owner, table.ofOwner(owner, clipId), clipId),
    withHash: (owner, sha256) =>
      found(owner, table.ofOwnerByHash(owner, sha256), `that begins with ${sha256.slice(0, 8)} in SHA-256`),
    async removeUnused(isNeeded) {
      for (const { owner, clipId } of table.unusedSince(now() - clipLifetimeMs)) {
        if (!(await isNeeded(owner, clipId))) await remove(owner, clipId);
      }
    },
    close: () => uploads.close(),
  };
}

/** Names of files that are being removed begin with this. */
const trashPrefix = 'removed-';

/** Completes the removals that an earlier server has begun, and sets aside files without a row. */
async function tidy(folder: string, isKnown: (name: string) => boolean, setAside: SetAside): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.startsWith(trashPrefix)) await rm(path, { recursive: true, force: true });
    else if (!isKnown(name)) await setAside(path);
  }
}

async function requireSpace(folder: string, sizeBytes: number): Promise<void> {
  const freeBytes = await freeBytesAt(folder);
  if (freeBytes >= sizeBytes) return;
  throw new EditError(
    'disk-full',
    `The clip needs ${sizeBytes} bytes and the disk of the data folder has ${freeBytes} free.`,
    { hint: 'Free some space, or set TOKENFLOW_DATA to a folder on a larger disk.' },
  );
}

function isPictureName(fileName: string): boolean {
  return pictureExtensions.some((extension) => fileName.endsWith(`.${extension}`));
}
