// Receives a result: chunks in order into an open file, then the hash of the whole. Goes on where a lost connection ended.

import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Chunk } from '../../../protocol/chunk.ts';
import type { ResultFacts } from '../../../protocol/job.ts';
import { createTurns } from '../../../protocol/turns.ts';
import { EditError } from '../errors.ts';
import { writeAt } from '../files/write-at.ts';
import { fromWireError } from '../wire-error.ts';
import type { Attempt, SteadyConnection } from './steady-connection.ts';

export interface DownloadOptions {
  readonly jobId: string;
  readonly result: ResultFacts;
  /** Open for writing, empty. */
  readonly file: Pick<FileHandle, 'write'>;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Downloads a result into a file. Throws CanceledError or EditError, 'transfer-damaged' among them. */
export async function downloadResult(
  steady: SteadyConnection,
  { jobId, result: { sizeBytes, sha256 }, file, onProgress, signal }: DownloadOptions,
): Promise<void> {
  const hash = createHash('sha256');
  let doneBytes = 0;

  async function write({ offset, bytes }: Chunk): Promise<void> {
    const written = writeAt(file, bytes, offset);
    written.catch(() => undefined);
    hash.update(bytes);
    await written;
    doneBytes = offset + bytes.length;
    onProgress(doneBytes, sizeBytes);
  }

  async function receive({ connection, progressed }: Attempt): Promise<void> {
    const offset = doneBytes;
    const { streamId } = await connection.request({ type: 'download-begin', jobId, offset });
    const stopListening: (() => void)[] = [];
    const writes = createTurns();
    const received = new Promise<void>((resolve, reject) => {
      let nextOffset = offset;
      const take = (chunk: Chunk): void => {
        if (chunk.streamId !== streamId) return;
        if (chunk.offset !== nextOffset) {
          reject(damaged(`byte ${nextOffset} was due, byte ${chunk.offset} came`));
          return;
        }
        nextOffset += chunk.bytes.length;
        writes
          .take(async () => {
            await write(chunk);
            progressed();
            connection.send({ type: 'download-ack', streamId, receivedBytes: doneBytes });
            if (doneBytes >= sizeBytes) resolve();
          })
          .catch(reject);
      };
      stopListening.push(
        connection.onChunk(take),
        connection.onEvent((event) => {
          if (event.type === 'stream-failed' && event.streamId === streamId) {
            reject(fromWireError(event.error));
          }
        }),
      );
      if (offset >= sizeBytes) resolve();
    });
    received.catch(() => undefined);
    try {
      await connection.wait(received, signal);
    } catch (error) {
      connection.send({ type: 'stream-cancel', streamId });
      throw error;
    } finally {
      for (const stop of stopListening) stop();
      // What has arrived is written, so that the next connection goes on behind it.
      await writes.over();
    }
  }

  await steady.run(receive, signal);
  const found = hash.digest('hex');
  if (found !== sha256) throw damaged(`SHA-256 ${found} instead of ${sha256}`);
}

function damaged(reason: string): EditError {
  return new EditError('transfer-damaged', `The result arrived damaged: ${reason}.`, {
    hint: 'Try again.',
  });
}
