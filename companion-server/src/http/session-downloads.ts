// The downloads of one connection.

import type { DownloadAck, DownloadBegin } from '../../../protocol/client-messages.ts';
import { windowBytes } from '../../../protocol/limits.ts';
import type { EditResult } from '../edit-work.ts';
import { EditError } from '../errors.ts';
import { toWireError } from '../wire-error.ts';
import { startDownload, type Download } from './download.ts';
import type { Peer } from './peer.ts';

const maxOpenDownloads = 4;

export interface SessionDownloads {
  begin(message: DownloadBegin): void;
  acknowledge(message: DownloadAck): void;
  cancel(streamId: number): void;
  /** Stops every download and waits until their files are closed. */
  close(): Promise<void>;
}

export function createSessionDownloads(
  peer: Peer,
  resultOf: (jobId: string) => EditResult,
  takeStreamId: () => number,
): SessionDownloads {
  const downloads = new Map<number, Download>();

  async function watch(streamId: number, download: Download): Promise<void> {
    try {
      await download.ended;
    } catch (error) {
      peer.send({ type: 'stream-failed', streamId, error: toWireError(error) });
    } finally {
      downloads.delete(streamId);
    }
  }

  return {
    begin({ requestId, jobId, offset }) {
      if (downloads.size >= maxOpenDownloads) {
        throw new EditError(
          'invalid-request',
          `A connection may have ${maxOpenDownloads} open downloads.`,
        );
      }
      const { path, sizeBytes } = resultOf(jobId);
      if (offset > sizeBytes) {
        throw new EditError(
          'invalid-request',
          `message.offset must be within the result's ${sizeBytes} bytes, got ${offset}.`,
        );
      }
      const streamId = takeStreamId();
      peer.send({ type: 'download-ready', requestId, streamId, windowBytes });
      const download = startDownload({
        path,
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
    async close() {
      const open = [...downloads.values()];
      for (const download of open) download.cancel();
      await Promise.allSettled(open.map((download) => download.ended));
    },
  };
}
