// Running uploads. An upload may be cut off at any byte and continue over another connection, or after a restart of the
// server: its bytes are kept for a week.

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { UploadExtension } from '../../../protocol/messages/clip-messages.ts';
import { EditError } from '../errors.ts';
import type { DiskAdvice } from '../files/disk-error.ts';
import { openPartFile, type PartFile } from '../files/part-file.ts';
import type { Clip, Upload } from './clip.ts';
import type { ClipRow, ClipTable, UploadRow } from './clip-table.ts';
import { createKnownUpload } from './known-upload.ts';
import { createKeyedTurns } from './turns.ts';
import { areBytesWrong, requireWhole } from './whole-upload.ts';

export interface UploadRequest {
  readonly sizeBytes: number;
  readonly extension: UploadExtension | null;
  /** Of the whole clip if it is known already, else null. */
  readonly sha256: string | null;
  /** The upload to continue, or null. */
  readonly uploadId: string | null;
}

export interface UploadsDeps {
  readonly table: ClipTable;
  readonly uploadsDir: string;
  readonly now: () => number;
  /** Takes over the file of a whole clip. */
  readonly keep: (owner: string, partPath: string, row: Omit<ClipRow, 'media'>) => Promise<Clip>;
  readonly knownClip: (owner: string, sha256: string) => Promise<Clip | undefined>;
  /** Called with the reason when a row could not be removed. */
  readonly onUnwritten: (error: unknown) => void;
  /** Throws EditError 'disk-full' when so many more bytes do not fit. */
  readonly requireRoom: (sizeBytes: number) => Promise<void>;
}

export interface Uploads {
  begin(owner: string, request: UploadRequest): Promise<Upload>;
  removeExpired(): Promise<void>;
  close(): Promise<void>;
}

/** The client knows neither the file nor its folder. */
const advice: DiskAdvice = {
  what: 'The upload cannot be kept',
  whenFull: 'Free some space, or set TOKENFLOW_DATA to a folder on a larger disk.',
  whenRefused: 'Set TOKENFLOW_DATA to a folder that can be written.',
};

const uploadLifetimeMs = 7 * 24 * 60 * 60 * 1_000;

/** How many files of uploads without a connection stay open. Others are read again when their upload continues. */
const maxResting = 16;

/** How long the old connection of an upload may take to hand over its received bytes. */
const handOverMs = 1_000;

interface OpenUpload {
  readonly upload: Upload;
  /** Bytes that have not arrived yet. */
  readonly missingBytes: () => number;
  /** Resolves when its connection has released it. */
  readonly free: Promise<void>;
}

export function createUploads(deps: UploadsDeps): Uploads {
  const { table, uploadsDir, now, keep, knownClip, requireRoom, onUnwritten } = deps;
  const open = new Map<string, OpenUpload>();
  /** Files of uploads that no connection has: they keep their hash, so that nothing is read again. */
  const resting = new Map<string, PartFile>();
  /** Uploads that are being made clips. */
  const finishing = new Map<string, Promise<unknown>>();
  const pathOf = (uploadId: string): string => join(uploadsDir, uploadId);

  const openPart = (uploadId: string): Promise<PartFile> => openPartFile(pathOf(uploadId), { advice, mode: 0o600 });

  /** Waits until no connection has the upload and no write to its file is pending. */
  async function takeBack(uploadId: string): Promise<void> {
    const previous = open.get(uploadId);
    if (previous !== undefined) {
      // The server notices the cut later than the client: bytes of the old connection must still be written.
      const waited = new AbortController();
      await Promise.race([previous.free, pause(handOverMs, undefined, waited)]);
      waited.abort();
      await previous.upload.release();
    }
    // The old connection may have ended it meanwhile.
    await finishing.get(uploadId)?.catch(() => undefined);
  }

  /** The file of an upload that no connection has. */
  async function takeUp(uploadId: string): Promise<PartFile> {
    const part = resting.get(uploadId);
    resting.delete(uploadId);
    return part ?? (await openPart(uploadId));
  }

  /** Keeps the file open; when there are many, closes the one that was idle for longest. */
  async function rest(uploadId: string, part: PartFile): Promise<void> {
    resting.set(uploadId, part);
    const [longest] = resting;
    if (resting.size <= maxResting || longest === undefined) return;
    resting.delete(longest[0]);
    await longest[1].close();
  }

  function adopt(row: UploadRow, part: PartFile): Upload {
    const { uploadId, owner, sizeBytes, extension } = row;
    let isMine = true;
    /** A second call, while the file is being given back, waits for the same end. */
    let released: Promise<void> = Promise.resolve();
    let tellFree: () => void = () => undefined;
    const free = new Promise<void>((resolve) => (tellFree = resolve));

    function letGo(): void {
      isMine = false;
      open.delete(uploadId);
      tellFree();
    }

    async function giveBack(): Promise<void> {
      isMine = false;
      try {
        const isWritten = await part.flush().then(
          () => true,
          () => false,
        );
        // After a failed write, only the file itself says how many bytes it has.
        if (isWritten) await rest(uploadId, part);
        else await part.close();
      } finally {
        letGo();
      }
    }

    async function makeClip(sha256: string): Promise<Clip> {
      try {
        try {
          await part.flush();
          await part.sync();
        } finally {
          await part.close();
        }
        requireWhole(part, sizeBytes, sha256);
        const clipId = sha256.slice(0, 32);
        const fileName = extension === null ? sha256 : `${sha256}.${extension}`;
        const clip = await keep(owner, pathOf(uploadId), { clipId, sha256, sizeBytes, fileName });
        forget(uploadId);
        return clip;
      } catch (error) {
        if (areBytesWrong(error)) {
          await rm(pathOf(uploadId), { force: true });
          forget(uploadId);
        }
        throw error;
      }
    }

    const upload: Upload = {
      uploadId,
      get receivedBytes() {
        return part.sizeBytes;
      },
      async write(offset, bytes) {
        const { acceptedBytes } = part;
        const end = offset + bytes.length;
        if (!isMine) throw goneOn();
        if (offset !== acceptedBytes || end > sizeBytes) {
          throw new EditError(
            'invalid-request',
            `The next chunk must start at byte ${acceptedBytes} and end by ${sizeBytes}, got ${offset} to ${end}.`,
          );
        }
        await part.append(bytes);
        return end;
      },
      finish(sha256) {
        if (!isMine) return Promise.reject(goneOn());
        letGo();
        const finished = makeClip(sha256).finally(() => finishing.delete(uploadId));
        finishing.set(uploadId, finished);
        return finished;
      },
      release() {
        if (isMine) released = giveBack();
        return released;
      },
    };
    open.set(uploadId, { upload, free, missingBytes: () => sizeBytes - part.sizeBytes });
    return upload;
  }

  /** A row without a file is harmless and expires, so a failed write does not undo the work. */
  function forget(uploadId: string): void {
    try {
      table.deleteUpload(uploadId);
    } catch (error) {
      onUnwritten(error);
    }
  }

  async function remove(uploadId: string): Promise<void> {
    const part = resting.get(uploadId);
    resting.delete(uploadId);
    await part?.close();
    // First the file: without a row, its bytes would have no owner.
    await rm(pathOf(uploadId), { force: true });
    table.deleteUpload(uploadId);
  }

  /** The disk must have space for the missing bytes of this upload and of the open ones. */
  async function requireRoomFor(sizeBytes: number): Promise<void> {
    let missingBytes = sizeBytes;
    for (const other of open.values()) missingBytes += other.missingBytes();
    await requireRoom(missingBytes);
  }

  async function beginNew(owner: string, request: UploadRequest): Promise<Upload> {
    const { sizeBytes, extension } = request;
    await requireRoomFor(sizeBytes);
    const row = { uploadId: createId(), owner, sizeBytes, extension };
    // First the row: a file without one would have no owner.
    table.putUpload(row, now());
    return adopt(row, await openPart(row.uploadId));
  }

  async function goOn(owner: string, request: UploadRequest): Promise<Upload> {
    const asked = rowOf(owner, request);
    if (asked !== undefined) await takeBack(asked.uploadId);
    const clip = await announced(owner, request);
    if (clip !== undefined) return createKnownUpload(createId(), clip);
    const row = rowOf(owner, request);
    if (row === undefined) return beginNew(owner, request);
    // First, so that it does not expire meanwhile.
    table.putUpload(row, now());
    return adopt(row, await takeUp(row.uploadId));
  }

  function rowOf(owner: string, { uploadId, sizeBytes }: UploadRequest): UploadRow | undefined {
    const row = uploadId === null ? undefined : table.uploadOf(owner, uploadId);
    return row?.sizeBytes === sizeBytes && existsSync(pathOf(row.uploadId)) ? row : undefined;
  }

  /** The clip of the request, if the owner has sent it before. */
  async function announced(owner: string, { sha256, sizeBytes }: UploadRequest): Promise<Clip | undefined> {
    const clip = sha256 === null ? undefined : await knownClip(owner, sha256);
    return clip?.sizeBytes === sizeBytes ? clip : undefined;
  }

  /** Two connections that continue the same upload take turns; a file that takes long to read does not delay others. */
  const turns = createKeyedTurns();

  return {
    async begin(owner, request) {
      // The connection that ended it was lost before the reply arrived.
      await finishing.get(request.uploadId ?? '')?.catch(() => undefined);
      if (request.uploadId === null || (await announced(owner, request)) !== undefined) {
        return goOn(owner, { ...request, uploadId: null });
      }
      return turns.take(request.uploadId, () => goOn(owner, request));
    },
    async removeExpired() {
      for (const { uploadId } of table.uploadsUntouchedSince(now() - uploadLifetimeMs)) {
        if (!open.has(uploadId)) await remove(uploadId);
      }
    },
    async close() {
      for (const { upload } of [...open.values()]) await upload.release();
      for (const part of resting.values()) await part.close();
      resting.clear();
    },
  };
}

function goneOn(): EditError {
  return new EditError('invalid-request', 'Another connection has gone on with this upload.');
}

function createId(): string {
  return randomBytes(16).toString('hex');
}
