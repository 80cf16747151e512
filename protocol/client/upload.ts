// Sends a clip, and continues after a cut: at every begin the server says how much it has, and nothing before that is
// sent again. The hash of the whole is computed on the way; bytes that the server already has are only read for it.

import { chunkHeaderBytes, writeChunkHeader } from '../messages/chunk.ts';
import type { UploadExtension, UploadReady } from '../messages/clip-messages.ts';
import { EditError, orCanceled, throwIfCanceled, type Signal } from '../errors.ts';
import type { MediaFacts } from '../media-facts.ts';
import type { Connection } from './connection.ts';
import type { Platform, Sha256 } from './platform.ts';
import type { Attempt, Run } from './run.ts';

/** A clip to be sent: a file that is read by position. */
export interface ClipSource {
  readonly sizeBytes: number;
  readonly extension: UploadExtension | null;
  /** `length` bytes from `offset` on; fewer only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** The same behind `room` bytes that are the caller's to fill. Where it is there, no chunk is copied for its header. */
  readBehind?(room: number, offset: number, length: number): Promise<Uint8Array>;
}

export interface UploadOptions {
  /** From an earlier upload of the same clip that did not end; null to begin a new one. */
  readonly uploadId: string | null;
  /** Called when the server has given the upload its name, to be kept for later. */
  readonly onUploadId?: (uploadId: string) => void;
  readonly onProgress?: (sentBytes: number, sizeBytes: number) => void;
  readonly signal?: Signal | undefined;
}

export interface UploadedClip {
  readonly clipId: string;
  /** Of the whole clip, in hexadecimal. */
  readonly sha256: string;
  readonly media: MediaFacts;
}

/** Damaged or refused streams are started again so often before the error is reported. */
const maxRestarts = 2;

/** How far an upload is, over all its connections. */
interface Course {
  uploadId: string | null;
  /** How many bytes the server had at the last begin. */
  keptBytes: number;
  /** Whether the server knows the upload on the connection of the moment. */
  isKnown: boolean;
  readonly hash: Sha256;
}

/**
 * Sends `source`. Rejected with CanceledError when the signal is aborted, with EditError when the server refuses the clip
 * or the clip ends early, with what the source throws, or as `Run`.
 */
export async function sendClip(
  run: Run,
  { createSha256, windowBytes }: Pick<Platform, 'createSha256' | 'windowBytes'>,
  source: ClipSource,
  options: UploadOptions,
): Promise<UploadedClip> {
  let { uploadId } = options;
  for (let restarts = 0; ; restarts += 1) {
    const course: Course = { uploadId, keptBytes: 0, isKnown: false, hash: createSha256() };
    try {
      return await run((attempt) => sendOver(attempt, source, course, windowBytes, options), options.signal);
    } catch (error) {
      throwIfCanceled(options.signal);
      // The server does not know the upload any more, or something was damaged on the way: from the start, not for ever.
      const isWorthAgain =
        error instanceof EditError && (error.code === 'transfer-damaged' || isForgotten(error, course));
      if (!isWorthAgain || restarts >= maxRestarts) throw error;
      uploadId = null;
    }
  }
}

function isForgotten({ code }: EditError, { uploadId, isKnown }: Course): boolean {
  return uploadId !== null && !isKnown && (code === 'clip-missing' || code === 'invalid-request');
}

async function sendOver(
  { connection, progressed }: Attempt,
  source: ClipSource,
  course: Course,
  maxWindowBytes: number,
  { onUploadId, onProgress, signal }: UploadOptions,
): Promise<UploadedClip> {
  const { sizeBytes } = source;
  const { hash } = course;
  course.isKnown = false;
  const ready = await orCanceled(
    connection.request({
      type: 'upload-begin',
      sizeBytes,
      extension: source.extension,
      // Known once all was read: then a reply to upload-end was lost, and the clip may be there already.
      sha256: hash.bytes === sizeBytes ? hash.digest() : null,
      uploadId: course.uploadId,
    }),
    signal,
  );
  const { streamId, chunkBytes, receivedBytes } = ready;
  // More may have arrived than the last connection lived to acknowledge.
  if (course.uploadId === ready.uploadId && receivedBytes > course.keptBytes) progressed();
  if (course.uploadId !== ready.uploadId) onUploadId?.(ready.uploadId);
  course.uploadId = ready.uploadId;
  course.keptBytes = receivedBytes;
  course.isKnown = true;
  const window = watchWindow(connection, ready, maxWindowBytes, (acknowledgedBytes) => {
    progressed();
    onProgress?.(acknowledgedBytes, sizeBytes);
  });
  const readChunk = (offset: number): Promise<Uint8Array> =>
    readAt(source, offset, Math.min(chunkBytes, sizeBytes - offset), chunkHeaderBytes);
  let next: Promise<Uint8Array> = Promise.resolve(new Uint8Array(0));
  try {
    onProgress?.(receivedBytes, sizeBytes);
    while (hash.bytes < receivedBytes) {
      throwIfCanceled(signal);
      hash.update(await readAt(source, hash.bytes, Math.min(chunkBytes, receivedBytes - hash.bytes), 0));
    }
    if (receivedBytes < sizeBytes) next = readChunk(receivedBytes);
    for (let offset = receivedBytes; offset < sizeBytes;) {
      throwIfCanceled(signal);
      const message = await next;
      const bytes = message.subarray(chunkHeaderBytes);
      const end = offset + bytes.length;
      // The disk works while the chunk before waits for its turn.
      if (end < sizeBytes) next = readChunk(end);
      // After a cut some bytes are read again that have been hashed already.
      if (hash.bytes < end) hash.update(bytes.subarray(hash.bytes - offset));
      await orCanceled(window.waitFor(end), signal);
      writeChunkHeader(message, streamId, offset);
      connection.sendChunk(message);
      offset = end;
    }
    const sha256 = hash.digest();
    const ended = connection.request({ type: 'upload-end', streamId, sha256 });
    const { clipId, media } = await orCanceled(Promise.race([ended, window.failed]), signal);
    return { clipId, sha256, media };
  } catch (error) {
    if (!connection.isOver) connection.note({ type: 'stream-cancel', streamId });
    throw error;
  } finally {
    window.close();
    // A read that is under way must not be left on a source that is closed.
    await next.catch(() => undefined);
  }
}

interface SendWindow {
  /** Resolves when the clip may be sent up to `end`. Rejected when the server or the connection has ended the upload. */
  waitFor(end: number): Promise<void>;
  readonly failed: Promise<never>;
  close(): void;
}

function watchWindow(
  connection: Connection,
  { streamId, receivedBytes, chunkBytes, windowBytes }: UploadReady,
  maxWindowBytes: number,
  onAck: (acknowledgedBytes: number) => void,
): SendWindow {
  const openBytes = Math.max(chunkBytes, Math.min(windowBytes, maxWindowBytes));
  let acknowledgedBytes = receivedBytes;
  let wake: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => (fail = reject));
  failed.catch(() => undefined);
  const close = connection.onStream(streamId, {
    onAck(bytes) {
      acknowledgedBytes = Math.max(acknowledgedBytes, bytes);
      onAck(acknowledgedBytes);
      wake();
    },
    onFailed: (error) => fail(error),
  });
  return {
    failed,
    close,
    async waitFor(end) {
      while (end - acknowledgedBytes > openBytes) {
        const moved = new Promise<void>((resolve) => (wake = resolve));
        await Promise.race([moved, failed]);
      }
    },
  };
}

/** `length` bytes from `offset` on, behind `room` bytes. Throws EditError 'clip-unreadable' when there are fewer. */
async function readAt(source: ClipSource, offset: number, length: number, room: number): Promise<Uint8Array> {
  const bytes = await readBehind(source, offset, length, room);
  if (bytes.length === room + length) return bytes;
  throw new EditError(
    'clip-unreadable',
    `The clip ends at ${offset + bytes.length - room} bytes; it had ${source.sizeBytes} when it was opened.`,
  );
}

async function readBehind(source: ClipSource, offset: number, length: number, room: number): Promise<Uint8Array> {
  if (source.readBehind !== undefined) return source.readBehind(room, offset, length);
  const bytes = await source.read(offset, length);
  if (room === 0) return bytes;
  const behind = new Uint8Array(room + bytes.length);
  behind.set(bytes, room);
  return behind;
}
