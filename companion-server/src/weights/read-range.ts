// Reading known ranges of model files. A short read means that the file changed after it was checked.

import { type FileHandle, open } from 'node:fs/promises';
import { EditError } from '../errors.ts';

/** Opens `path` for reading while `use` runs. Failures of the file system become EditErrors. */
export async function withFile<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    return await use(handle);
  } catch (error) {
    throw translateReadError(path, error);
  } finally {
    await handle?.close();
  }
}

/** Reads `length` bytes from `position` into the start of `target`. Throws EditError('model-damaged'). */
export async function readInto(
  handle: FileHandle,
  path: string,
  position: number,
  length: number,
  target: Uint8Array,
): Promise<void> {
  let filled = 0;
  while (filled < length) {
    // One read call takes at most 2 GiB.
    const want = Math.min(length - filled, 2 ** 30);
    const { bytesRead } = await handle.read(target, filled, want, position + filled);
    if (bytesRead === 0) {
      throw new EditError(
        'model-damaged',
        `${path}: ends at byte ${position + filled}, bytes up to ${position + length} were expected.`,
        { hint: 'Was the file changed while it was in use? Download it again.' },
      );
    }
    filled += bytesRead;
  }
}

/** Reads `length` bytes from `position`, in memory of their own (aligned for every element type). */
export async function readRange(
  handle: FileHandle,
  path: string,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await readInto(handle, path, position, length, bytes);
  return bytes;
}

/** A failure to read a model's file as the EditError that a user can act on; other errors as they are. */
export function translateReadError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new EditError('model-missing', `${path}: there is no such file.`, {
        hint: 'Check the path of the checkpoint, or download the missing file.',
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new EditError('model-missing', `${path}: the file may not be read.`, {
        hint: 'Give your user the right to read the folder of the checkpoint.',
        cause: error,
      });
    case 'EISDIR':
    case 'EIO':
      return new EditError('model-damaged', `${path}: the file cannot be read: ${error.message}.`, {
        cause: error,
      });
    default:
      return error;
  }
}
