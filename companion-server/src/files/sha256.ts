// SHA-256 of files, piece by piece: a clip or a checkpoint is larger than memory, and a server does other things meanwhile.

import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { throwIfCanceled } from '../errors.ts';

/** Bytes read at a time. */
const pieceBytes = 2 ** 20;

export interface HashOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of bytes of each piece. */
  readonly onBytes?: (count: number) => void;
}

/** SHA-256 of the file at `path`, in 64 hexadecimal digits. Throws CanceledError and what reading throws. */
export async function sha256OfFile(path: string, options?: HashOptions): Promise<string> {
  return (await hashFile(path, options)).digest('hex');
}

/** The same, as a hash that can be continued with bytes that are appended to the file. */
export async function hashFile(path: string, { signal, onBytes }: HashOptions = {}): Promise<Hash> {
  throwIfCanceled(signal);
  const hash = createHash('sha256');
  try {
    const pieces = createReadStream(path, { highWaterMark: pieceBytes, ...(signal && { signal }) });
    for await (const bytes of pieces as AsyncIterable<Buffer>) {
      hash.update(bytes);
      onBytes?.(bytes.length);
    }
  } catch (error) {
    // An aborted stream has an error of its own.
    throwIfCanceled(signal);
    throw error;
  }
  throwIfCanceled(signal);
  return hash;
}
