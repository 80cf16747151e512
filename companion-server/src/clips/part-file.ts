// The bytes of one upload so far, in a file. Its length is what has been received: bytes are only ever added at the
// end, so that a process killed at any moment leaves a beginning of the clip and nothing else.

import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

export interface PartFile {
  /** Bytes that are in the file. */
  readonly receivedBytes: number;
  /** Adds bytes at the end; resolves when they are in the file. One call at a time. */
  append(bytes: Uint8Array): Promise<void>;
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
  const hash = receivedBytes === 0 ? createHash('sha256') : await hashFile(path);
  return {
    get receivedBytes() {
      return receivedBytes;
    },
    async append(bytes) {
      // The disk and the hash work at the same time.
      const written = writeAll(file, bytes);
      written.catch(() => undefined);
      hash.update(bytes);
      await written;
      receivedBytes += bytes.length;
    },
    digest: () => hash.digest('hex'),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

interface Writer {
  write(bytes: Uint8Array, offset: number): Promise<{ readonly bytesWritten: number }>;
}

async function writeAll(file: Writer, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += (await file.write(bytes, written)).bytesWritten;
  }
}

async function hashFile(path: string): Promise<Hash> {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(bytes as Buffer);
  }
  return hash;
}
