// The clip on the client's disk.

import { constants, open, type FileHandle } from 'node:fs/promises';
import { extname } from 'node:path';
import type { ClipSource } from '../../../protocol/client/upload.ts';
import { clipExtensions, type ClipExtension } from '../../../protocol/messages/clip-messages.ts';
import { EditError } from '../errors.ts';
import { answerInTime } from '../files/answer-in-time.ts';

export interface ClipFile extends ClipSource {
  close(): Promise<void>;
}

/** Opens a clip. Throws EditError: 'clip-missing', 'clip-unreadable' or 'clip-empty'. */
export async function openClip(path: string): Promise<ClipFile> {
  const file = await openExisting(path);
  try {
    const stats = await answerInTime(file.stat(), path);
    if (!stats.isFile()) throw new EditError('clip-unreadable', `The clip ${path} is not a file.`);
    if (stats.size === 0) throw new EditError('clip-empty', `The clip ${path} has no content.`);
    return {
      sizeBytes: stats.size,
      extension: extensionOf(path),
      read: (offset, length) => readBehind(file, 0, offset, length),
      readBehind: (room, offset, length) => readBehind(file, room, offset, length),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openExisting(path: string): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK, opening a named pipe waits for a writer. Windows has neither.
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

/** A read may return fewer bytes than requested before the end of the file. */
async function readBehind(file: FileHandle, room: number, offset: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(room + length);
  let done = room;
  while (done < bytes.length) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, offset + done - room);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

function extensionOf(path: string): ClipExtension | null {
  const ending = extname(path).slice(1).toLowerCase();
  return clipExtensions.find((extension) => extension === ending) ?? null;
}
