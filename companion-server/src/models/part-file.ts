// The beginning of a file that is being downloaded, with the hash of what is there.

import { createHash, type Hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { translateWriteError } from '../weights/write-whole.ts';

/** Bytes read at a time when an old part is hashed again. */
const readBytes = 2 ** 20;

export class PartFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  #hash: Hash = createHash('sha256');
  #sizeBytes = 0;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /** Opens `path`, or makes it, and hashes what is there. Throws EditError 'output-unwritable', 'disk-full'. */
  static async open(path: string): Promise<PartFile> {
    const part = new PartFile(path, await openForWriting(path));
    try {
      await part.#hashAll();
      return part;
    } catch (error) {
      await part.close();
      throw translateWriteError(path, error);
    }
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Adds bytes to the end. Throws EditError 'disk-full', 'output-unwritable'. */
  async append(bytes: Uint8Array): Promise<void> {
    try {
      let written = 0;
      while (written < bytes.length) {
        const position = this.#sizeBytes + written;
        written += (await this.#handle.write(bytes, written, undefined, position)).bytesWritten;
      }
    } catch (error) {
      throw translateWriteError(this.#path, error);
    }
    // Only now: what failed half-way is written over by the next try.
    this.#hash.update(bytes);
    this.#sizeBytes += bytes.length;
  }

  /** Throws away what is there. */
  async clear(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = createHash('sha256');
    this.#sizeBytes = 0;
  }

  /** SHA-256 of what is there, in hexadecimal digits. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Resolves when the disk has it. */
  async sync(): Promise<void> {
    // A failed write may have left bytes behind the end.
    await this.#handle.truncate(this.#sizeBytes);
    await this.#handle.sync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #hashAll(): Promise<void> {
    const buffer = new Uint8Array(readBytes);
    for (;;) {
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.#sizeBytes);
      if (bytesRead === 0) return;
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#sizeBytes += bytesRead;
    }
  }
}

/** Reading and writing, without cutting what is there. */
async function openForWriting(path: string): Promise<FileHandle> {
  try {
    await (await open(path, 'a')).close();
    return await open(path, 'r+');
  } catch (error) {
    throw translateWriteError(path, error);
  }
}
