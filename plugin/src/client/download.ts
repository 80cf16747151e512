// Fetches a result into a writer that may hold a part of it already, and goes on after a cut. Each chunk is acknowledged
// when it is written, so that a slow disk slows the server down. The hash of the whole must be the server's.

import type { Connection } from './connection.ts';
import { ClientError, isLost } from './problem.ts';
import { createSha256, type Sha256 } from './sha256.ts';
import { orStopped, throwIfStopped, type StopSignal } from './signal.ts';

/** Where a result is written. */
export interface ResultSink {
  /** Bytes that are there, also from an earlier attempt. */
  readonly receivedBytes: number;
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** What was written. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface DownloadOptions {
  readonly onProgress?: (receivedBytes: number, sizeBytes: number) => void;
  readonly signal?: StopSignal | undefined;
}

const rereadBytes = 512 * 1024;

/**
 * Fetches the result of a job that is done. Rejected with StoppedError, with ClientError 'transfer-damaged' when the
 * whole is not what the server has (the part is of no use then), with the server's refusal, or with what the sink throws;
 * never because a connection ended.
 */
export async function fetchResult(
  online: (signal?: StopSignal) => Promise<Connection>,
  jobId: string,
  sink: ResultSink,
  options: DownloadOptions = {},
): Promise<void> {
  const hash = createSha256();
  for (;;) {
    const connection = await online(options.signal);
    try {
      await fetchOver(connection, jobId, sink, hash, options);
      return;
    } catch (error) {
      throwIfStopped(options.signal);
      if (!isLost(error)) throw error;
    }
  }
}

async function fetchOver(
  connection: Connection,
  jobId: string,
  sink: ResultSink,
  hash: Sha256,
  { onProgress, signal }: DownloadOptions,
): Promise<void> {
  while (hash.bytes < sink.receivedBytes) {
    throwIfStopped(signal);
    const length = Math.min(rereadBytes, sink.receivedBytes - hash.bytes);
    hash.update(await sink.read(hash.bytes, length));
  }
  const begin = { type: 'download-begin', jobId, offset: sink.receivedBytes } as const;
  const ready = await orStopped(connection.request<'download-begin'>(begin), signal);
  const { streamId, sizeBytes } = ready;
  onProgress?.(sink.receivedBytes, sizeBytes);

  const queue: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
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
      throwIfStopped(signal);
      const chunk = queue.shift();
      if (chunk === undefined) {
        if (failures[0] !== undefined) throw failures[0];
        await orStopped(new Promise<void>((resolve) => (wake = resolve)), signal);
        continue;
      }
      if (chunk.offset !== sink.receivedBytes) {
        throw new ClientError(
          'transfer-damaged',
          `The result goes on at byte ${chunk.offset}, expected ${sink.receivedBytes}.`,
        );
      }
      await sink.write(chunk.offset, chunk.bytes);
      hash.update(chunk.bytes);
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
  if (sha256 !== ready.sha256) {
    throw new ClientError(
      'transfer-damaged',
      `The result has SHA-256 ${sha256}, expected ${ready.sha256}.`,
      'It will be fetched again from the start.',
    );
  }
}
