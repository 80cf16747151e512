// Sends a clip: chunks within the server's window, then the hash of the whole.

import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { encodeChunk } from '../../../protocol/chunk.ts';
import { clipExtensions, type ClipExtension } from '../../../protocol/client-messages.ts';
import { throwIfCanceled } from '../errors.ts';
import { fromWireError } from '../wire-error.ts';
import { openClip } from './clip-file.ts';
import type { Connection } from './connection.ts';

export interface UploadOptions {
  readonly clipPath: string;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Uploads a clip; returns its id. Throws CanceledError or EditError. */
export async function uploadClip(
  connection: Connection,
  { clipPath, onProgress, signal }: UploadOptions,
): Promise<string> {
  const { file, sizeBytes } = await openClip(clipPath);
  let stopListening: () => void = () => undefined;
  try {
    const { streamId, chunkBytes, windowBytes } = await connection.request({
      type: 'upload-begin',
      sizeBytes,
      extension: clipExtensionOf(clipPath),
    });
    let acknowledgedBytes = 0;
    let wake: () => void = () => undefined;
    const failed = new Promise<never>((_resolve, reject) => {
      stopListening = connection.onEvent((event) => {
        if (event.type === 'upload-ack' && event.streamId === streamId) {
          acknowledgedBytes = event.receivedBytes;
          onProgress(acknowledgedBytes, sizeBytes);
          wake();
        } else if (event.type === 'stream-failed' && event.streamId === streamId) {
          reject(fromWireError(event.error));
        }
      });
    });
    failed.catch(() => undefined);

    const waitForWindow = async (offset: number): Promise<void> => {
      while (offset - acknowledgedBytes + chunkBytes > windowBytes) {
        const moved = new Promise<void>((resolve) => (wake = resolve));
        await connection.wait(Promise.race([moved, failed]), signal);
      }
    };

    const hash = createHash('sha256');
    try {
      const buffer = new Uint8Array(chunkBytes);
      for (let offset = 0; offset < sizeBytes;) {
        throwIfCanceled(signal);
        await waitForWindow(offset);
        const { bytesRead } = await file.read(buffer, 0, chunkBytes, offset);
        if (bytesRead === 0) break;
        const bytes = buffer.subarray(0, bytesRead);
        hash.update(bytes);
        connection.sendChunk(encodeChunk({ streamId, offset, bytes }));
        offset += bytesRead;
      }
      const sha256 = hash.digest('hex');
      const ended = connection.request({ type: 'upload-end', streamId, sha256 });
      const { clipId } = await connection.wait(Promise.race([ended, failed]), signal);
      return clipId;
    } catch (error) {
      connection.send({ type: 'stream-cancel', streamId });
      throw error;
    }
  } finally {
    stopListening();
    await file.close();
  }
}

function clipExtensionOf(path: string): ClipExtension | null {
  const ending = extname(path).slice(1).toLowerCase();
  return clipExtensions.find((extension) => extension === ending) ?? null;
}
