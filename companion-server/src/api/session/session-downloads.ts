// The downloads of one connection, and the single pictures that it asks for.

import { encodeChunk } from '../../../../protocol/messages/chunk.ts';
import {
  chunkBytes,
  maxFrameBytes,
  maxOpenDownloads,
  maxStillBytes,
  windowBytes,
} from '../../../../protocol/limits.ts';
import type { DownloadAck, DownloadBegin } from '../../../../protocol/messages/stream-messages.ts';
import { EditError } from '../../errors.ts';
import { toClientError } from '../../wire-error.ts';
import { startDownload, type Download } from '../download.ts';
import type { Peer } from './peer.ts';
import { resultOf } from '../../jobs/results.ts';
import type { SessionDeps } from './session-deps.ts';

export interface SessionDownloads {
  begin(message: DownloadBegin): Promise<void>;
  acknowledge(message: DownloadAck): void;
  cancel(streamId: number): void;
  /** Sends a picture, or a clip as small as one, as a stream of its own. Throws EditError when it is larger than one may be. */
  sendPicture(requestId: number, bytes: Uint8Array, reply?: 'frame-ready' | 'sample-ready'): Promise<void>;
  /** Sends pictures as one stream, one after the other. Together they are no larger than the window. */
  sendPictures(requestId: number, jpegs: readonly Uint8Array[]): Promise<void>;
  /** Stops every download and waits until their files are closed. */
  close(): Promise<void>;
}

export function createSessionDownloads(
  peer: Peer,
  deps: Pick<SessionDeps, 'jobs' | 'artifacts'>,
  owner: string,
  takeStreamId: () => number,
): SessionDownloads {
  const downloads = new Map<number, Download>();

  async function watch(streamId: number, download: Download): Promise<void> {
    try {
      await download.ended;
    } catch (error) {
      peer.send({ type: 'stream-failed', streamId, error: toClientError(error) });
    } finally {
      downloads.delete(streamId);
    }
  }

  return {
    async begin({ requestId, jobId, offset }) {
      if (downloads.size >= maxOpenDownloads) {
        throw new EditError('limit-reached', `A connection may have ${maxOpenDownloads} open downloads.`, {
          hint: 'Fetch one result after the other.',
        });
      }
      const { artifact, sizeBytes, sha256 } = await resultOf(deps, owner, jobId);
      if (offset > sizeBytes) {
        throw new EditError(
          'invalid-request',
          `message.offset must be within the result's ${sizeBytes} bytes, got ${offset}.`,
        );
      }
      const streamId = takeStreamId();
      peer.send({ type: 'download-ready', requestId, streamId, sizeBytes, sha256, windowBytes });
      const download = startDownload({
        read: () => deps.artifacts.read(artifact, offset),
        sizeBytes,
        streamId,
        offset,
        send: (chunk) => peer.sendChunk(chunk),
      });
      downloads.set(streamId, download);
      void watch(streamId, download);
    },
    acknowledge({ streamId, receivedBytes }) {
      downloads.get(streamId)?.acknowledge(receivedBytes);
    },
    cancel(streamId) {
      downloads.get(streamId)?.cancel();
    },
    async sendPicture(requestId, jpeg, reply = 'frame-ready') {
      const most = reply === 'frame-ready' ? maxStillBytes : maxFrameBytes;
      if (jpeg.length > most) {
        throw new EditError('limit-reached', `The picture has ${jpeg.length} bytes; at most ${most} are sent.`, {
          hint: 'Ask for a smaller one.',
        });
      }
      const streamId = takeStreamId();
      peer.send({ type: reply, requestId, streamId, sizeBytes: jpeg.length });
      await sendStream(peer, streamId, jpeg);
    },
    async sendPictures(requestId, jpegs) {
      const streamId = takeStreamId();
      peer.send({ type: 'frames-ready', requestId, streamId, sizes: jpegs.map(({ length }) => length) });
      await sendStream(peer, streamId, Buffer.concat(jpegs));
    },
    async close() {
      const open = [...downloads.values()];
      for (const download of open) download.cancel();
      await Promise.allSettled(open.map((download) => download.ended));
    },
  };
}

/** Sends bytes that need no acknowledgement. */
export async function sendStream(peer: Peer, streamId: number, whole: Uint8Array): Promise<void> {
  for (let offset = 0; offset < whole.length; offset += chunkBytes) {
    const bytes = whole.subarray(offset, offset + chunkBytes);
    await peer.sendChunk(encodeChunk({ streamId, offset, bytes }));
  }
}
