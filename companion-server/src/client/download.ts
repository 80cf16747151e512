// Receives a result: chunks in order into an open file, then the hash of the whole.

import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Chunk } from '../../../protocol/chunk.ts';
import { EditError } from '../errors.ts';
import { fromWireError } from '../wire-error.ts';
import type { Connection } from './connection.ts';

export interface DownloadOptions {
  readonly jobId: string;
  readonly result: { readonly sizeBytes: number; readonly sha256: string };
  /** Open for writing, empty. */
  readonly file: FileHandle;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Downloads a result into a file. Throws CanceledError or EditError, 'transfer-damaged' among them. */
export async function downloadResult(
  connection: Connection,
  { jobId, result: { sizeBytes, sha256 }, file, onProgress, signal }: DownloadOptions,
): Promise<void> {
  const hash = createHash('sha256');
  const { streamId } = await connection.request({ type: 'download-begin', jobId, offset: 0 });
  const stopListening: (() => void)[] = [];

  async function write({ offset, bytes }: Chunk): Promise<number> {
    await file.write(bytes, 0, bytes.length, offset);
    hash.update(bytes);
    const receivedBytes = offset + bytes.length;
    connection.send({ type: 'download-ack', streamId, receivedBytes });
    onProgress(receivedBytes, sizeBytes);
    return receivedBytes;
  }

  const received = new Promise<void>((resolve, reject) => {
    let nextOffset = 0;
    let last: Promise<unknown> = Promise.resolve();
    const receive = (chunk: Chunk): void => {
      if (chunk.streamId !== streamId) return;
      if (chunk.offset !== nextOffset) {
        reject(damaged(`byte ${nextOffset} was due, byte ${chunk.offset} came`));
        return;
      }
      nextOffset += chunk.bytes.length;
      last = last
        .then(() => write(chunk))
        .then((doneBytes) => {
          if (doneBytes >= sizeBytes) resolve();
        }, reject);
    };
    stopListening.push(
      connection.onChunk(receive),
      connection.onEvent((event) => {
        if (event.type === 'stream-failed' && event.streamId === streamId) {
          reject(fromWireError(event.error));
        }
      }),
    );
    if (sizeBytes === 0) resolve();
  });

  try {
    await connection.wait(received, signal);
  } catch (error) {
    connection.send({ type: 'stream-cancel', streamId });
    throw error;
  } finally {
    for (const stop of stopListening) stop();
  }
  const found = hash.digest('hex');
  if (found !== sha256) throw damaged(`SHA-256 ${found} instead of ${sha256}`);
}

function damaged(reason: string): EditError {
  return new EditError('transfer-damaged', `The result arrived damaged: ${reason}.`, {
    hint: 'Try again.',
  });
}
