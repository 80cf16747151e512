// Files by positioned reads and writes: UXP has no streams, and a clip may be larger than memory.

import { HostError } from '../problems.ts';
import type { UxpFs } from './api.ts';

export interface OpenFile {
  /** `length` bytes from `offset` on; fewer only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Safe to call twice. */
  close(): Promise<void>;
}

/** `r` reads, `r+` also writes into the existing file, `w+` empties the file first. Throws HostError. */
export async function openFile(fs: UxpFs, path: string, flag: 'r' | 'r+' | 'w+'): Promise<OpenFile> {
  const fd = await fs.open(path, flag).catch((error: unknown) => {
    throw new HostError(flag === 'r' ? 'file-unreadable' : 'file-unwritable', `${path}: ${String(error)}`, error);
  });
  let isOpen = true;
  return {
    async read(offset, length) {
      const buffer = new ArrayBuffer(length);
      let count = 0;
      while (count < length) {
        const { bytesRead } = await fs
          .read(fd, buffer, count, length - count, offset + count)
          .catch((error: unknown) => {
            throw new HostError('file-unreadable', `${path}: ${String(error)}`, error);
          });
        if (bytesRead === 0) break;
        count += bytesRead;
      }
      return new Uint8Array(buffer, 0, count);
    },
    async write(offset, bytes) {
      // UXP writes from an ArrayBuffer; a view into a larger one would need its offset added everywhere.
      const copy = new ArrayBuffer(bytes.length);
      new Uint8Array(copy).set(bytes);
      let count = 0;
      while (count < bytes.length) {
        const { bytesWritten } = await fs
          .write(fd, copy, count, bytes.length - count, offset + count)
          .catch((error: unknown) => {
            throw new HostError(codeOfWriteError(error), `${path}: ${String(error)}`, error);
          });
        if (bytesWritten === 0) throw new HostError('file-unwritable', `${path}: nothing was written.`);
        count += bytesWritten;
      }
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await fs.close(fd);
    },
  };
}

function codeOfWriteError(error: unknown): 'disk-full' | 'file-unwritable' {
  return /ENOSPC|no space/i.test(String(error)) ? 'disk-full' : 'file-unwritable';
}

/** Size in bytes; null when there is no such file. */
export async function sizeOfFile(fs: UxpFs, path: string): Promise<number | null> {
  try {
    return (await fs.lstat(path)).size;
  } catch {
    return null;
  }
}

/** Removes a file that may not be there. */
export async function removeFile(fs: UxpFs, path: string): Promise<void> {
  if ((await sizeOfFile(fs, path)) !== null) await fs.unlink(path);
}

/** Joins with the separator that the folder uses. */
export function joinPath(folder: string, ...names: readonly string[]): string {
  const separator = folder.includes('\\') ? '\\' : '/';
  return [folder.replace(/[\\/]+$/, ''), ...names].join(separator);
}

/** The folder of a file. */
export function folderOf(path: string): string {
  return path.replace(/[\\/][^\\/]*$/, '');
}
