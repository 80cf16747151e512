// The clip on the client's disk.

import { constants, open, type FileHandle } from 'node:fs/promises';
import { EditError } from '../errors.ts';
import { answerInTime } from '../files/answer-in-time.ts';

export interface ClipFile {
  /** Open for reading. */
  readonly file: FileHandle;
  readonly sizeBytes: number;
}

/** Opens a clip. Throws EditError: 'clip-missing', 'clip-unreadable' or 'clip-empty'. */
export async function openClip(path: string): Promise<ClipFile> {
  const file = await openExisting(path);
  try {
    const stats = await answerInTime(file.stat(), path);
    if (!stats.isFile()) throw new EditError('clip-unreadable', `The clip ${path} is not a file.`);
    if (stats.size === 0) throw new EditError('clip-empty', `The clip ${path} has no content.`);
    return { file, sizeBytes: stats.size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openExisting(path: string): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK, opening a named pipe waits for somebody who writes to it. Windows has neither.
    return await answerInTime(open(path, constants.O_RDONLY | constants.O_NONBLOCK), path);
  } catch (error) {
    if (error instanceof EditError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new EditError('clip-missing', `There is no clip ${path}.`, {
        hint: 'Check the name of the file.',
        cause: error,
      });
    }
    throw new EditError('clip-unreadable', `The clip ${path} cannot be read: ${message}.`, {
      cause: error,
    });
  }
}
