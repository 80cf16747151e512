// The bytes of one upload so far, in a file. Its length is what has been received: bytes are only ever added at the
// end, so that a process killed at any moment leaves a beginning of the clip and nothing else.

import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

export interface PartFile {
  /** Bytes that are in the file. */
  readonly receivedBytes: number;
  /** Bytes that are in the file or on their way there. */
  readonly acceptedBytes: number;
  /** Adds bytes at the end; resolves when they are in the file. What comes while others are written is written together. */
  append(bytes: Uint8Array): Promise<void>;
  /** Waits for what is on its way. Throws what a write threw, after which nothing more is accepted. */
  flush(): Promise<void>;
  /** SHA-256 of the file, in hexadecimal. The file must be whole by then. */
  digest(): string;
  /** Brings the bytes to the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the file at `path`, or makes it. What is in it already is read once, for the hash. */
export async function openPartFile(path: string): Promise<PartFile> {
  const file = await open(path, 'a', 0o600);
  let receivedBytes = (await file.stat()).size;
  let acceptedBytes = receivedBytes;
  const hash = receivedBytes === 0 ? createHash('sha256') : await hashFile(path);
  let waiting: Uint8Array[] = [];
  /** The write that takes all that waits, once the one before it is done. */
  let next: Promise<void> | undefined;
  let last: Promise<void> = Promise.resolve();

  async function writeWaiting(): Promise<void> {
    const batch = waiting;
    waiting = [];
    next = undefined;
    await writeAll(file, batch);
    for (const { length } of batch) receivedBytes += length;
  }

  return {
    get receivedBytes() {
      return receivedBytes;
    },
    get acceptedBytes() {
      return acceptedBytes;
    },
    append(bytes) {
      waiting.push(bytes);
      acceptedBytes += bytes.length;
      if (next === undefined) {
        next = last.then(writeWaiting);
        last = next;
        last.catch(() => undefined);
      }
      const written = next;
      // The disk and the hash work at the same time.
      hash.update(bytes);
      return written;
    },
    flush: () => last,
    digest: () => hash.digest('hex'),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

interface Writer {
  writev(buffers: readonly Uint8Array[]): Promise<{ readonly bytesWritten: number }>;
}

async function writeAll(file: Writer, batch: readonly Uint8Array[]): Promise<void> {
  let rest = batch;
  while (rest.length > 0) {
    let { bytesWritten } = await file.writev(rest);
    const unwritten: Uint8Array[] = [];
    for (const bytes of rest) {
      const done = Math.min(bytes.length, bytesWritten);
      bytesWritten -= done;
      if (done < bytes.length) unwritten.push(bytes.subarray(done));
    }
    rest = unwritten;
  }
}

async function hashFile(path: string): Promise<Hash> {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(bytes as Buffer);
  }
  return hash;
}
