// One clip on its way in: bytes in order into a file of the server's own naming.

import { createHash, randomBytes } from 'node:crypto';
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClipExtension } from '../../../protocol/client-messages.ts';
import { EditError } from '../errors.ts';

export interface Clip {
  readonly clipId: string;
  /** Absolute; no part of it comes from the client but an ending from the list. */
  readonly path: string;
}

export interface Upload {
  /** Writes the next bytes; returns how many there are now. Throws EditError when they are not the next. */
  write(offset: number, bytes: Uint8Array): Promise<number>;
  /** Closes the file. Throws EditError 'transfer-damaged' when bytes are missing or the hash differs. */
  finish(sha256: string): Promise<Clip>;
  /** Removes the file. Does nothing after `finish` succeeded. */
  discard(): Promise<void>;
}

/** Opens a new file in `clipsDir`. Throws EditError 'disk-full' when the clip cannot fit. */
export async function beginUpload(
  clipsDir: string,
  sizeBytes: number,
  extension: ClipExtension | null,
): Promise<Upload> {
  await requireSpace(clipsDir, sizeBytes);
  const clipId = randomBytes(16).toString('hex');
  const path = join(clipsDir, extension === null ? clipId : `${clipId}.${extension}`);
  const file = await open(path, 'wx', 0o600);
  const hash = createHash('sha256');
  let receivedBytes = 0;
  let isWhole = false;

  return {
    async write(offset, bytes) {
      if (offset !== receivedBytes || offset + bytes.length > sizeBytes) {
        throw new EditError(
          'invalid-request',
          `The next chunk must start at byte ${receivedBytes} and end by ${sizeBytes}, got ${offset} to ${offset + bytes.length}.`,
        );
      }
      let written = 0;
      while (written < bytes.length) {
        const { bytesWritten } = await file.write(bytes, written);
        written += bytesWritten;
      }
      hash.update(bytes);
      receivedBytes += bytes.length;
      return receivedBytes;
    },
    async finish(sha256) {
      await file.close();
      const received = hash.digest('hex');
      if (receivedBytes !== sizeBytes || received !== sha256) {
        await rm(path, { force: true });
        throw new EditError(
          'transfer-damaged',
          `The clip arrived damaged: ${receivedBytes} of ${sizeBytes} bytes, SHA-256 ${received} instead of ${sha256}.`,
          { hint: 'Try again; if it happens again, check the disk that the clip is on.' },
        );
      }
      isWhole = true;
      return { clipId, path };
    },
    async discard() {
      if (isWhole) return;
      await file.close();
      await rm(path, { force: true });
    },
  };
}

async function requireSpace(folder: string, sizeBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  if (freeBytes >= sizeBytes) return;
  throw new EditError(
    'disk-full',
    `The clip has ${sizeBytes} bytes and the disk of the working folder ${freeBytes} free.`,
    { hint: 'Free some space, or set TOKENFLOW_CACHE to a folder on a larger disk.' },
  );
}
