// One result on its way out: chunks in order, never more unacknowledged than the window allows.

import { encodeChunk } from '../../../protocol/messages/chunk.ts';
import { chunkBytes, windowBytes } from '../../../protocol/limits.ts';
import type { ArtifactReader } from '../artifacts/artifact-store.ts';

export interface DownloadOptions {
  /** Reads the result from byte `offset` on. */
  readonly read: () => Promise<ArtifactReader>;
  readonly sizeBytes: number;
  readonly streamId: number;
  /** First byte to send. */
  readonly offset: number;
  /** Resolves when the bytes have left the process. */
  readonly send: (chunk: Uint8Array) => Promise<void>;
}

export interface Download {
  /** The client has the first `receivedBytes` bytes of the result. */
  acknowledge(receivedBytes: number): void;
  cancel(): void;
  /** Settles when the last chunk is sent, or after a cancel; rejects when the file cannot be read. */
  readonly ended: Promise<void>;
}

export function startDownload(options: DownloadOptions): Download {
  const { read, sizeBytes, streamId, send } = options;
  let sentBytes = options.offset;
  let acknowledgedBytes = options.offset;
  let isCanceled = false;
  let wake: () => void = () => undefined;

  async function waitForWindow(): Promise<void> {
    while (!isCanceled && sentBytes - acknowledgedBytes + chunkBytes > windowBytes) {
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  async function sendAll(): Promise<void> {
    const reader = await read();
    try {
      const buffer = new Uint8Array(chunkBytes);
      while (sentBytes < sizeBytes) {
        await waitForWindow();
        if (isCanceled) return;
        const readBytes = await reader.read(buffer);
        if (readBytes === 0) throw new Error('The result has become shorter.');
        const bytes = buffer.subarray(0, readBytes);
        await send(encodeChunk({ streamId, offset: sentBytes, bytes }));
        sentBytes += readBytes;
      }
    } finally {
      await reader.close();
    }
  }

  return {
    acknowledge(receivedBytes) {
      acknowledgedBytes = Math.min(sentBytes, Math.max(acknowledgedBytes, receivedBytes));
      wake();
    },
    cancel() {
      isCanceled = true;
      wake();
    },
    ended: sendAll(),
  };
}
