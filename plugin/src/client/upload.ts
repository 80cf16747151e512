// Sends a clip, and goes on with it after a cut: at every begin the server says how far it is, and nothing before that is
// sent again. The hash of the whole is made on the way; what the server has from an earlier run of the panel is only read.

import { encodeChunk } from '../../../protocol/chunk.ts';
import type { ClipExtension } from '../../../protocol/clip-messages.ts';
import type { MediaFacts } from '../../../protocol/media-facts.ts';
import type { Connection } from './connection.ts';
import { ClientError, isLost } from './problem.ts';
import { createSha256, type Sha256 } from './sha256.ts';
import { orStopped, throwIfStopped, type StopSignal } from './signal.ts';

/** A clip to be sent: a file that is read by position. */
export interface ClipSource {
  readonly sizeBytes: number;
  readonly extension: ClipExtension | null;
  /** `length` bytes from `offset` on; fewer only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface UploadOptions {
  /** From an earlier upload of the same clip that did not end; null to begin anew. */
  readonly uploadId: string | null;
  /** Called when the server has given the upload its name, to be kept for later. */
  readonly onUploadId?: (uploadId: string) => void;
  readonly onProgress?: (sentBytes: number, sizeBytes: number) => void;
  readonly signal?: StopSignal | undefined;
}

export interface UploadedClip {
  readonly clipId: string;
  readonly media: MediaFacts;
}

/** Less than the server allows: UXP closes a socket whose buffer overflows, and does not say where that is. */
const ownWindowBytes = 2 * 1024 * 1024;
/** Damaged or refused streams are begun again so often before the error is told. */
const maxRestarts = 2;

/**
 * Sends `source` over the connection of the moment, `online()`. Rejected with StoppedError when the signal is aborted,
 * with ClientError when the server refuses the clip; never because a connection ended.
 */
export async function sendClip(
  online: (signal?: StopSignal) => Promise<Connection>,
  source: ClipSource,
  options: UploadOptions,
): Promise<UploadedClip> {
  let uploadId = options.uploadId;
  let hash = createSha256();
  let restarts = 0;
  for (;;) {
    const connection = await online(options.signal);
    try {
      return await sendOver(connection, source, {
        ...options,
        uploadId,
        hash,
        onUploadId(id) {
          if (id !== uploadId) options.onUploadId?.(id);
          uploadId = id;
        },
      });
    } catch (error) {
      throwIfStopped(options.signal);
      if (isLost(error)) continue;
      // The server does not know the upload any more, or something was damaged on the way: from the start, not for ever.
      const isWorthAgain =
        error instanceof ClientError &&
        (error.code === 'transfer-damaged' || (uploadId !== null && isForgotten(error)));
      if (!isWorthAgain || restarts >= maxRestarts) throw error;
      restarts += 1;
      uploadId = null;
      hash = createSha256();
    }
  }
}

const isForgotten = ({ code }: ClientError): boolean => code === 'clip-missing' || code === 'invalid-request';

async function sendOver(
  connection: Connection,
  source: ClipSource,
  {
    uploadId,
    hash,
    onUploadId,
    onProgress,
    signal,
  }: UploadOptions & { readonly hash: Sha256; readonly onUploadId: (id: string) => void },
): Promise<UploadedClip> {
  const { sizeBytes } = source;
  const ready = await orStopped(
    connection.request<'upload-begin'>({
      type: 'upload-begin',
      sizeBytes,
      extension: source.extension,
      sha256: null,
      uploadId,
    }),
    signal,
  );
  onUploadId(ready.uploadId);
  const { streamId, chunkBytes } = ready;
  const windowBytes = Math.max(chunkBytes, Math.min(ready.windowBytes, ownWindowBytes));
  let acknowledged = ready.receivedBytes;
  let wake: () => void = () => undefined;
  let failure: ClientError | null = null;
  const stopListening = connection.onStream(streamId, {
    onAck(receivedBytes) {
      acknowledged = Math.max(acknowledged, receivedBytes);
      onProgress?.(acknowledged, sizeBytes);
      wake();
    },
    onFailed(error) {
      failure = error;
      wake();
    },
  });
  const failIfFailed = (): void => {
    if (failure !== null) throw failure;
  };
  const waitForRoom = async (offset: number, length: number): Promise<void> => {
    for (;;) {
      failIfFailed();
      if (offset + length - acknowledged <= windowBytes) return;
      await orStopped(new Promise<void>((resolve) => (wake = resolve)), signal);
    }
  };

  try {
    onProgress?.(acknowledged, sizeBytes);
    while (hash.bytes < acknowledged) {
      throwIfStopped(signal);
      hash.update(await readAt(source, hash.bytes, Math.min(chunkBytes, acknowledged - hash.bytes)));
    }
    for (let offset = acknowledged; offset < sizeBytes;) {
      const length = Math.min(chunkBytes, sizeBytes - offset);
      await waitForRoom(offset, length);
      throwIfStopped(signal);
      const bytes = await readAt(source, offset, length);
      // After a cut some bytes are read again that have been hashed already.
      if (hash.bytes < offset + length) hash.update(bytes.subarray(hash.bytes - offset));
      failIfFailed();
      connection.sendChunk(encodeChunk({ streamId, offset, bytes }));
      offset += length;
    }
    const sha256 = hash.digest();
    const ended = connection.request<'upload-end'>({ type: 'upload-end', streamId, sha256 });
    const { clipId, media } = await orStopped(ended, signal);
    return { clipId, media };
  } catch (error) {
    if (!connection.isOver) connection.note({ type: 'stream-cancel', streamId });
    throw error;
  } finally {
    stopListening();
  }
}

async function readAt(source: ClipSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(offset, length);
  if (bytes.length === length) return bytes;
  throw new ClientError(
    'clip-unreadable',
    `The clip ends at ${offset + bytes.length} bytes; it had ${source.sizeBytes} when it was opened.`,
  );
}
