// The clips of one connection.

import { rm } from 'node:fs/promises';
import type { Chunk } from '../../../protocol/chunk.ts';
import type { UploadBegin, UploadEnd } from '../../../protocol/client-messages.ts';
import { chunkBytes, windowBytes } from '../../../protocol/limits.ts';
import { EditError } from '../errors.ts';
import { toWireError } from '../wire-error.ts';
import type { Peer } from './peer.ts';
import { beginUpload, type Upload } from './upload.ts';

const maxOpenUploads = 4;
/** Clips that one connection may have on the server at once. */
const maxClips = 64;

export interface SessionUploads {
  begin(message: UploadBegin): Promise<void>;
  /** Chunks of an upload that has ended are dropped. */
  receive(chunk: Chunk): Promise<void>;
  end(message: UploadEnd): Promise<void>;
  cancel(streamId: number): Promise<void>;
  /** Absolute path of a whole clip. Throws EditError 'clip-missing'. */
  pathOf(clipId: string): string;
  /** Removes every clip. */
  close(): Promise<void>;
}

export function createSessionUploads(
  peer: Peer,
  clipsDir: string,
  takeStreamId: () => number,
): SessionUploads {
  const uploads = new Map<number, Upload>();
  const clipPaths = new Map<string, string>();

  async function cancel(streamId: number): Promise<void> {
    const upload = uploads.get(streamId);
    uploads.delete(streamId);
    await upload?.discard();
  }

  return {
    async begin({ requestId, sizeBytes, extension }) {
      if (uploads.size >= maxOpenUploads || clipPaths.size >= maxClips) {
        throw new EditError(
          'invalid-request',
          `A connection may have ${maxOpenUploads} open uploads and ${maxClips} clips.`,
        );
      }
      const upload = await beginUpload(clipsDir, sizeBytes, extension);
      const streamId = takeStreamId();
      uploads.set(streamId, upload);
      peer.send({ type: 'upload-ready', requestId, streamId, chunkBytes, windowBytes });
    },
    async receive({ streamId, offset, bytes }) {
      const upload = uploads.get(streamId);
      if (upload === undefined) return;
      try {
        const receivedBytes = await upload.write(offset, bytes);
        peer.send({ type: 'upload-ack', streamId, receivedBytes });
      } catch (error) {
        await cancel(streamId);
        peer.send({ type: 'stream-failed', streamId, error: toWireError(error) });
      }
    },
    async end({ requestId, streamId, sha256 }) {
      const upload = uploads.get(streamId);
      if (upload === undefined) {
        throw new EditError('invalid-request', `There is no open upload ${streamId}.`);
      }
      uploads.delete(streamId);
      const { clipId, path } = await upload.finish(sha256);
      clipPaths.set(clipId, path);
      peer.send({ type: 'upload-done', requestId, clipId });
    },
    cancel,
    pathOf(clipId) {
      const path = clipPaths.get(clipId);
      if (path !== undefined) return path;
      throw new EditError('clip-missing', `There is no clip ${clipId} on this connection.`, {
        hint: 'Upload the clip again.',
      });
    },
    async close() {
      await Promise.all([...uploads.keys()].map(cancel));
      await Promise.all([...clipPaths.values()].map((path) => rm(path, { force: true })));
      clipPaths.clear();
    },
  };
}
