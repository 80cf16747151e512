// Sends a clip: chunks within the server's window, then the hash of the whole. Goes on where a lost connection ended.

import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { chunkHeaderBytes, writeChunkHeader } from '../../../protocol/chunk.ts';
import {
  clipExtensions,
  type ClipExtension,
  type UploadDone,
  type UploadReady,
} from '../../../protocol/clip-messages.ts';
import { throwIfCanceled } from '../errors.ts';
import { fromWireError } from '../wire-error.ts';
import { openClip } from './clip-file.ts';
import type { Connection } from './connection.ts';
import type { Attempt, SteadyConnection } from './steady-connection.ts';

export interface UploadOptions {
  readonly clipPath: string;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Uploads a clip; returns its id and what the server found in it. Throws CanceledError or EditError. */
export async function uploadClip(
  steady: SteadyConnection,
  { clipPath, onProgress, signal }: UploadOptions,
): Promise<Pick<UploadDone, 'clipId' | 'media'>> {
  const { file, sizeBytes } = await openClip(clipPath);
  const hash = createHash('sha256');
  let hashedBytes = 0;
  /** What the server had when it was last asked. */
  let keptBytes = 0;
  let uploadId: string | null = null;

  /** The chunk at `offset` as a message without its header, hashed where that was not done before. */
  async function readChunk(offset: number, chunkBytes: number): Promise<Uint8Array> {
    const message = Buffer.allocUnsafe(chunkHeaderBytes + Math.min(chunkBytes, sizeBytes - offset));
    let length = chunkHeaderBytes;
    while (length < message.length) {
      const at = offset + length - chunkHeaderBytes;
      const { bytesRead } = await file.read(message, length, message.length - length, at);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return message.subarray(0, length);
  }

  function addToHash(offset: number, bytes: Uint8Array): void {
    const known = hashedBytes - offset;
    if (known >= bytes.length) return;
    hash.update(known === 0 ? bytes : bytes.subarray(known));
    hashedBytes = offset + bytes.length;
  }

  async function send({ connection, progressed }: Attempt): Promise<UploadDone> {
    const ready: UploadReady = await connection.request({
      type: 'upload-begin',
      sizeBytes,
      extension: clipExtensionOf(clipPath),
      // Known once all was read: then a reply to upload-end was lost, and the clip may be there already.
      sha256: hashedBytes === sizeBytes ? hash.copy().digest('hex') : null,
      uploadId,
    });
    const { streamId, chunkBytes, receivedBytes } = ready;
    // More may have arrived than the last connection lived to acknowledge.
    if (uploadId === ready.uploadId && receivedBytes > keptBytes) progressed();
    keptBytes = receivedBytes;
    ({ uploadId } = ready);
    const window = watchWindow(connection, ready, (acknowledgedBytes) => {
      progressed();
      onProgress(acknowledgedBytes, sizeBytes);
    });
    let next = Promise.resolve<Uint8Array>(Buffer.alloc(0));
    try {
      next = readChunk(receivedBytes, chunkBytes);
      for (let offset = receivedBytes; offset < sizeBytes;) {
        throwIfCanceled(signal);
        const message = await next;
        const length = message.length - chunkHeaderBytes;
        if (length === 0) break;
        next = readChunk(offset + length, chunkBytes);
        addToHash(offset, message.subarray(chunkHeaderBytes));
        await connection.wait(window.waitFor(offset), signal);
        writeChunkHeader(message, streamId, offset);
        connection.sendChunk(message);
        offset += length;
      }
      const sha256 = hash.copy().digest('hex');
      const ended = connection.request({ type: 'upload-end', streamId, sha256 });
      return await connection.wait(Promise.race([ended, window.failed]), signal);
    } catch (error) {
      connection.send({ type: 'stream-cancel', streamId });
      throw error;
    } finally {
      window.close();
      // A read that is under way must not be left on a file that is closed.
      await next.catch(() => undefined);
    }
  }

  try {
    const { clipId, media } = await steady.run(send, signal);
    return { clipId, media };
  } finally {
    await file.close();
  }
}

interface SendWindow {
  /** Resolves when a chunk at this offset may be sent. Rejects when the upload has failed. */
  waitFor(offset: number): Promise<void>;
  /** Rejects when the server has ended the upload. */
  readonly failed: Promise<never>;
  close(): void;
}

function watchWindow(
  connection: Connection,
  { streamId, receivedBytes, chunkBytes, windowBytes }: UploadReady,
  onAck: (acknowledgedBytes: number) => void,
): SendWindow {
  let acknowledgedBytes = receivedBytes;
  let wake: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => (fail = reject));
  failed.catch(() => undefined);
  const close = connection.onEvent((event) => {
    if (event.type === 'upload-ack' && event.streamId === streamId) {
      acknowledgedBytes = event.receivedBytes;
      onAck(acknowledgedBytes);
      wake();
    } else if (event.type === 'stream-failed' && event.streamId === streamId) {
      fail(fromWireError(event.error));
    }
  });
  return {
    failed,
    close,
    async waitFor(offset) {
      while (offset - acknowledgedBytes + chunkBytes > windowBytes) {
        const moved = new Promise<void>((resolve) => (wake = resolve));
        await Promise.race([moved, failed]);
      }
    },
  };
}

function clipExtensionOf(path: string): ClipExtension | null {
  const ending = extname(path).slice(1).toLowerCase();
  return clipExtensions.find((extension) => extension === ending) ?? null;
}
