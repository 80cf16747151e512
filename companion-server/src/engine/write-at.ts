// Bytes at a place in a file, all of them.

import type { FileHandle } from 'node:fs/promises';

/** A disk that is nearly full takes a part of what it is given and reports the rest only when asked again. */
export async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
