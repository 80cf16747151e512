// Clips and results between the client's disk and the server.

import type { FileHandle } from 'node:fs/promises';
import type { Client } from '../../../protocol/client/client.ts';
import type { UploadedClip } from '../../../protocol/client/upload.ts';
import type { Signal } from '../../../protocol/errors.ts';
import { writeAt } from '../files/write-at.ts';
import { openClip } from './clip-file.ts';

export interface TransferOptions {
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: Signal | undefined;
}

/** Uploads a clip; returns its id and what the server found in it. Throws CanceledError or EditError. */
export async function uploadClip(
  client: Pick<Client, 'upload'>,
  clipPath: string,
  options: TransferOptions = {},
): Promise<UploadedClip> {
  const clip = await openClip(clipPath);
  try {
    return await client.upload(clip, { ...options, uploadId: null });
  } finally {
    await clip.close();
  }
}

/** Downloads a result into an empty file. Throws CanceledError or EditError, 'transfer-damaged' among them. */
export async function downloadResult(
  client: Pick<Client, 'download'>,
  jobId: string,
  file: Pick<FileHandle, 'write'>,
  options: TransferOptions = {},
): Promise<void> {
  let receivedBytes = 0;
  const sink = {
    get receivedBytes() {
      return receivedBytes;
    },
    async write(offset: number, bytes: Uint8Array) {
      await writeAt(file, bytes, offset);
      receivedBytes = offset + bytes.length;
    },
    read: () => Promise.reject(new Error('The file was empty.')),
  };
  await client.download(jobId, sink, options);
}
