// Whether the bytes of an upload are what they should be.

import { EditError } from '../errors.ts';
import type { PartFile } from '../files/part-file.ts';

/** Whether an error says that what arrived is not what was sent, or no clip: then it is no use to keep it. */
export function areBytesWrong(error: unknown): boolean {
  if (!(error instanceof EditError)) return false;
  return error.code === 'transfer-damaged' || error.code.startsWith('clip-');
}

/** Throws EditError 'transfer-damaged' when bytes are missing or the hash is another one. */
export function requireWhole(part: PartFile, sizeBytes: number, sha256: string): void {
  const found = part.digest();
  if (part.sizeBytes === sizeBytes && found === sha256) return;
  throw new EditError(
    'transfer-damaged',
    `The clip arrived damaged: ${part.sizeBytes} of ${sizeBytes} bytes, SHA-256 ${found} instead of ${sha256}.`,
    { hint: 'Try again; if it happens again, check the disk that the clip is on.' },
  );
}
