// The uploads of one connection. Their received bytes outlive it.

import type { Chunk } from '../../../../protocol/messages/chunk.ts';
import type { UploadBegin, UploadEnd } from '../../../../protocol/messages/clip-messages.ts';
import { chunkBytes, maxOpenUploads, windowBytes } from '../../../../protocol/limits.ts';
import type { ClipStore } from '../../clips/clip-store.ts';
import type { Upload } from '../../clips/clip.ts';
import { EditError } from '../../errors.ts';
import { toClientError } from '../../wire-error.ts';
import type { Peer } from './peer.ts';

export interface SessionUploads {
  begin(message: UploadBegin): Promise<void>;
  /** Chunks of an upload that has ended are dropped. */
  receive(chunk: Chunk): Promise<void>;
  /** Removes the upload from the connection at once, then makes it a clip and replies. */
  end(message: UploadEnd): Promise<void>;
  cancel(streamId: number): Promise<void>;
  /** Gives every upload back: another connection may continue it. */
  close(): Promise<void>;
}

export function createSessionUploads(
  peer: Peer,
  clips: ClipStore,
  owner: string,
  takeStreamId: () => number,
): SessionUploads {
  const uploads = new Map<number, Upload>();

  async function cancel(streamId: number): Promise<void> {
    const upload = uploads.get(streamId);
    uploads.delete(streamId);
    await upload?.release();
  }

  return {
    async begin({ requestId, sizeBytes, extension, sha256, uploadId }) {
      if (uploads.size >= maxOpenUploads) {
        throw new EditError('limit-reached', `A connection may have ${maxOpenUploads} open uploads.`, {
          hint: 'Send one clip after the other.',
        });
      }
      const upload = await clips.begin(owner, { sizeBytes, extension, sha256, uploadId });
      const streamId = takeStreamId();
      uploads.set(streamId, upload);
      const { receivedBytes } = upload;
      peer.send({
        type: 'upload-ready',
        requestId,
        uploadId: upload.uploadId,
        streamId,
        receivedBytes,
        chunkBytes,
        windowBytes,
      });
    },
    async receive({ streamId, offset, bytes }) {
      const upload = uploads.get(streamId);
      if (upload === undefined) return;
      try {
        const receivedBytes = await upload.write(offset, bytes);
        peer.send({ type: 'upload-ack', streamId, receivedBytes });
      } catch (error) {
        // The first of the chunks that fail together ends the upload.
        if (uploads.get(streamId) !== upload) return;
        await cancel(streamId);
        peer.send({ type: 'stream-failed', streamId, error: toClientError(error) });
      }
    },
    async end({ requestId, streamId, sha256 }) {
      const upload = uploads.get(streamId);
      if (upload === undefined) {
        throw new EditError('invalid-request', `There is no open upload ${streamId}.`);
      }
      uploads.delete(streamId);
      const { clipId, media } = await upload.finish(sha256);
      peer.send({ type: 'upload-done', requestId, clipId, media });
    },
    cancel,
    async close() {
      for (const streamId of [...uploads.keys()]) await cancel(streamId);
    },
  };
}
