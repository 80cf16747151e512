// Bytes at a place in a file, all of them.

import type { FileHandle } from 'node:fs/promises';

/** Most bytes of one call: no system takes 2 GiB or more at once. */
const maxBytes = 2 ** 30;

/** A nearly full disk writes a part of the bytes, and reports the error only at the next write. */
export async function writeAt(file: Pick<FileHandle, 'write'>, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const length = Math.min(bytes.length - done, maxBytes);
    const { bytesWritten } = await file.write(bytes, done, length, position + done);
    done += bytesWritten;
  }
}
