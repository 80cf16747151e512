// Fetches a result into a sink that may already have a part of it, and continues after a cut. Each chunk is acknowledged
// when it is written, so that a slow disk slows the server down. The hash of the whole must equal the server's.

import { EditError, orCanceled, throwIfCanceled, type Signal } from '../errors.ts';
import type { Chunk } from '../messages/chunk.ts';
import type { Sha256 } from './platform.ts';
import type { Attempt, Run } from './run.ts';

/** Where a result is written. */
export interface ResultSink {
  /** Bytes that are there, also from an earlier attempt. */
  readonly receivedBytes: number;
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** What was written before the download began. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface DownloadOptions {
  readonly onProgress?: (receivedBytes: number, sizeBytes: number) => void;
  readonly signal?: Signal | undefined;
}

const rereadBytes = 512 * 1024;

/**
 * Fetches the result of a job that is done. Rejected with CanceledError, with EditError 'transfer-damaged' when the
 * whole is not what the server has (the part is of no use then), with the server's refusal, with what the sink throws, or
 * as `Run`.
 */
export function fetchResult(
  run: Run,
  createSha256: () => Sha256,
  jobId: string,
  sink: ResultSink,
  options: DownloadOptions = {},
): Promise<void> {
  const hash = createSha256();
  return run((attempt) => fetchOver(attempt, jobId, sink, hash, options), options.signal);
}

async function fetchOver(
  { connection, progressed }: Attempt,
  jobId: string,
  sink: ResultSink,
  hash: Sha256,
  { onProgress, signal }: DownloadOptions,
): Promise<void> {
  while (hash.bytes < sink.receivedBytes) {
    throwIfCanceled(signal);
    const length = Math.min(rereadBytes, sink.receivedBytes - hash.bytes);
    hash.update(await sink.read(hash.bytes, length));
  }
  const begin = { type: 'download-begin', jobId, offset: sink.receivedBytes } as const;
  const ready = await orCanceled(connection.request(begin), signal);
  const { streamId, sizeBytes } = ready;
  onProgress?.(sink.receivedBytes, sizeBytes);

  const queue: Chunk[] = [];
  const failures: Error[] = [];
  let wake: () => void = () => undefined;
  const stopListening = connection.onStream(streamId, {
    onChunk(chunk) {
      queue.push(chunk);
      wake();
    },
    onFailed(error) {
      failures.push(error);
      wake();
    },
  });
  try {
    while (sink.receivedBytes < sizeBytes) {
      throwIfCanceled(signal);
      const chunk = queue.shift();
      if (chunk === undefined) {
        // Chunks that arrived before the end are written first: the next connection continues after them.
        if (failures[0] !== undefined) throw failures[0];
        await orCanceled(new Promise<void>((resolve) => (wake = resolve)), signal);
        continue;
      }
      if (chunk.offset !== sink.receivedBytes) {
        throw damaged(`byte ${sink.receivedBytes} was due, byte ${chunk.offset} came`);
      }
      const written = sink.write(chunk.offset, chunk.bytes);
      written.catch(() => undefined);
      hash.update(chunk.bytes);
      await written;
      progressed();
      const receivedBytes = chunk.offset + chunk.bytes.length;
      connection.note({ type: 'download-ack', streamId, receivedBytes });
      onProgress?.(receivedBytes, sizeBytes);
    }
  } catch (error) {
    if (!connection.isOver) connection.note({ type: 'stream-cancel', streamId });
    throw error;
  } finally {
    stopListening();
  }
  const sha256 = hash.digest();
  if (sha256 !== ready.sha256) throw damaged(`SHA-256 ${sha256} instead of ${ready.sha256}`);
}

function damaged(reason: string): EditError {
  return new EditError('transfer-damaged', `The result arrived damaged: ${reason}.`, { hint: 'Try again.' });
}
