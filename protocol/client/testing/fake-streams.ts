// The bytes that cross one connection to the server in memory: uploads, downloads and pictures, up to where it is cut.

import { encodeChunk, parseChunk } from '../../messages/chunk.ts';
import type { ServerMessage } from '../../messages/server-messages.ts';
import type { FakeServer } from './fake-state.ts';

/** One connection, from the server's side. */
export interface Wire {
  readonly say: (message: ServerMessage) => void;
  readonly sendBytes: (bytes: Uint8Array) => void;
  /** In the next turn of the event loop, unless the connection has ended by then. */
  readonly later: (run: () => void) => void;
  readonly cut: () => void;
}

export interface StreamSizes {
  readonly chunkBytes: number;
  readonly windowBytes: number;
}

export interface FakeStreams {
  /** Returns its number, and how many bytes of the upload are there. */
  openUpload(uploadId: string): { readonly streamId: number; readonly receivedBytes: number };
  /** What has come by a stream. */
  uploaded(streamId: number): Uint8Array | undefined;
  /** A chunk of an upload. */
  receive(data: Uint8Array): void;
  /** Counts how many bytes are on their way, when the client sends a chunk. */
  watchSent(data: Uint8Array): void;
  /** Sends the result from `offset`, as far ahead of the acknowledged bytes as the window allows. */
  openDownload(offset: number, acknowledged: number): { readonly streamId: number; readonly start: () => void };
  acknowledge(streamId: number, receivedBytes: number): void;
  cancel(streamId: number): void;
  /** The number of a stream of one chunk, and what sends it. */
  openPiece(): { readonly streamId: number; readonly send: (bytes: Uint8Array) => void };
}

export function createFakeStreams(
  server: FakeServer,
  { chunkBytes, windowBytes }: StreamSizes,
  wire: Wire,
): FakeStreams {
  const { later, cut, say, sendBytes } = wire;
  const { result } = server;
  const uploads = new Map<number, string>();
  const downloads = new Map<number, { offset: number; acknowledged: number }>();
  let streamIds = 0;
  /** Media bytes of the upload of which the client has heard that they are there. */
  let heardOf = 0;
  let mediaLeft = server.cuts.shift() ?? Number.POSITIVE_INFINITY;

  function pump(streamId: number): void {
    const stream = downloads.get(streamId);
    if (stream === undefined) return;
    while (stream.offset < result.length && stream.offset - stream.acknowledged < windowBytes) {
      const bytes = result.subarray(stream.offset, stream.offset + chunkBytes);
      if (bytes.length > mediaLeft) {
        later(cut);
        return;
      }
      mediaLeft -= bytes.length;
      const chunk = encodeChunk({ streamId, offset: stream.offset, bytes });
      later(() => sendBytes(chunk));
      stream.offset += bytes.length;
      server.mostUnacknowledged = Math.max(server.mostUnacknowledged, stream.offset - stream.acknowledged);
    }
  }

  return {
    openUpload(uploadId) {
      const receivedBytes = server.uploads.get(uploadId)?.length ?? 0;
      uploads.set(++streamIds, uploadId);
      heardOf = receivedBytes;
      return { streamId: streamIds, receivedBytes };
    },
    uploaded: (streamId) => server.uploads.get(uploads.get(streamId) ?? ''),
    receive(data) {
      const { streamId, offset, bytes } = parseChunk(data);
      const uploadId = uploads.get(streamId) ?? '';
      const there = server.uploads.get(uploadId) ?? new Uint8Array(0);
      if (bytes.length > mediaLeft) {
        // A piece of a message is no message: the whole chunk is lost.
        cut();
        return;
      }
      mediaLeft -= bytes.length;
      if (offset < there.length) server.repeatedBytes += bytes.length;
      if (offset !== there.length) throw new Error(`A chunk came at ${offset}, not at ${there.length}.`);
      const whole = new Uint8Array(there.length + bytes.length);
      whole.set(there);
      whole.set(bytes, there.length);
      server.uploads.set(uploadId, whole);
      later(() => (heardOf = whole.length));
      say({ type: 'upload-ack', streamId, receivedBytes: whole.length });
    },
    watchSent(data) {
      const { offset, bytes } = parseChunk(data);
      server.mostUnacknowledged = Math.max(server.mostUnacknowledged, offset + bytes.length - heardOf);
    },
    openDownload(offset, acknowledged) {
      const streamId = ++streamIds;
      downloads.set(streamId, { offset, acknowledged });
      return { streamId, start: () => pump(streamId) };
    },
    acknowledge(streamId, receivedBytes) {
      const stream = downloads.get(streamId);
      if (stream !== undefined) stream.acknowledged = receivedBytes;
      pump(streamId);
    },
    cancel: (streamId) => void downloads.delete(streamId),
    openPiece() {
      const streamId = ++streamIds;
      return { streamId, send: (bytes) => later(() => sendBytes(encodeChunk({ streamId, offset: 0, bytes }))) };
    },
  };
}
