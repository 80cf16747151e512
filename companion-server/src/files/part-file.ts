// The beginning of a file that arrives over a network, and the hash of its bytes so far. Bytes are only added at the end,
// so that a process killed at any moment leaves a valid beginning of the file.

import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { explainingDisk, type DiskAdvice } from './disk-error.ts';
import { hashFile } from './sha256.ts';

export interface PartFile {
  /** Bytes that are in the file. */
  readonly sizeBytes: number;
  /** Bytes that are in the file or on their way there. */
  readonly acceptedBytes: number;
  /**
   * Adds bytes at the end; resolves when they are in the file. What comes while others are written is written together.
   * After a write that failed, every other one fails the same way: only the file knows how much of it is there, so it has to
   * be opened again.
   */
  append(bytes: Uint8Array): Promise<void>;
  /** Waits for pending writes. Throws the error of a failed write. */
  flush(): Promise<void>;
  /** Discards all bytes. */
  clear(): Promise<void>;
  /** SHA-256 of all accepted bytes, in hexadecimal. */
  digest(): string;
  /** Flushes the bytes to the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface PartFileOptions {
  readonly advice?: DiskAdvice;
  /** Of a file that is made. Default: what the system gives to others. */
  readonly mode?: number;
}

/**
 * Opens the file at `path`, or makes it. What is in it already is read once, for the hash. It and all that it returns throw
 * EditError 'disk-full', 'output-unwritable', 'limit-reached', with the advice.
 */
export async function openPartFile(path: string, options: PartFileOptions = {}): Promise<PartFile> {
  const { advice = {}, mode = 0o666 } = options;
  const explained = <T>(work: () => Promise<T>): Promise<T> => explainingDisk(path, advice, work);
  const file = await explained(() => open(path, 'a', mode));
  const begun = await explained(() => readBeginning(path, file)).catch(async (error: unknown) => {
    await file.close();
    throw error;
  });
  let { sizeBytes, hash } = begun;
  let acceptedBytes = sizeBytes;
  let waiting: Uint8Array[] = [];
  /** The write that takes all that waits, once the one before it is done. */
  let next: Promise<void> | undefined;
  let last: Promise<void> = Promise.resolve();

  async function writeWaiting(): Promise<void> {
    const batch = waiting;
    waiting = [];
    next = undefined;
    await explained(() => writeAll(file, batch));
    for (const { length } of batch) sizeBytes += length;
  }

  return {
    get sizeBytes() {
      return sizeBytes;
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
    async clear() {
      await last;
      await explained(() => file.truncate(0));
      hash = createHash('sha256');
      sizeBytes = 0;
      acceptedBytes = 0;
    },
    digest: () => hash.copy().digest('hex'),
    sync: () => explained(() => file.sync()),
    close: () => file.close(),
  };
}

async function readBeginning(path: string, file: FileHandle) {
  const { size } = await file.stat();
  return { sizeBytes: size, hash: size === 0 ? createHash('sha256') : await hashFile(path) };
}

interface Writer {
  writev(buffers: readonly Uint8Array[]): Promise<{ readonly bytesWritten: number }>;
}

/** A nearly full disk writes a part of the bytes, and reports the error only at the next write. */
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
