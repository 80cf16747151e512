// Messages about what the server sends as chunks, results and single pictures, and about the early end of any stream.

import { readWireError, type WireError } from './wire-error.ts';
import { frameSideRange, maxFrameBytes, windowBytes } from './limits.ts';
import { readId, readRequestId, readStreamId, type MessageReaders } from './message.ts';

/** Asks for a finished job's result from `offset` bytes on. Reply: `download-ready`; then chunks follow. */
export interface DownloadBegin {
  readonly type: 'download-begin';
  readonly requestId: number;
  readonly jobId: string;
  readonly offset: number;
}

/** Opens the window for more chunks. `receivedBytes` counts from the start of the result. No reply. */
export interface DownloadAck {
  readonly type: 'download-ack';
  readonly streamId: number;
  readonly receivedBytes: number;
}

/** `difference` and `flicker` are computed of both: what the edit has changed, and where it alone flickers. */
export const frameSides = ['original', 'edit', 'difference', 'flicker'] as const;
export type FrameSide = (typeof frameSides)[number];

/** Asks for one picture as a JPEG. Reply: `frame-ready`; then its chunks follow, without acknowledgement. */
export interface FrameGet {
  readonly type: 'frame-get';
  readonly requestId: number;
  /** `original`: a frame of the clip `id`. Otherwise a frame of the result of the job `id`, as it is or as a map. */
  readonly side: FrameSide;
  readonly id: string;
  /** From 0, within the clip or the result. */
  readonly frameIndex: number;
  /** Pixels of the longer side at most; the picture is made smaller, never larger. */
  readonly maxSide: number;
}

/** Ends an upload or download early. No reply; chunks on their way are dropped. What an upload has sent is kept. */
export interface StreamCancel {
  readonly type: 'stream-cancel';
  readonly streamId: number;
}

/** Reply to `download-begin`. */
export interface DownloadReady {
  readonly type: 'download-ready';
  readonly requestId: number;
  readonly streamId: number;
  /** Of the whole result; the stream has `sizeBytes - offset` bytes. */
  readonly sizeBytes: number;
  /** Of the whole result. */
  readonly sha256: string;
  /** At most so many bytes are on their way without a `download-ack`. */
  readonly windowBytes: number;
}

/** Reply to `frame-get`. */
export interface FrameReady {
  readonly type: 'frame-ready';
  readonly requestId: number;
  readonly streamId: number;
  /** Of the JPEG. */
  readonly sizeBytes: number;
}

/** An upload or download has ended early. */
export interface StreamFailed {
  readonly type: 'stream-failed';
  readonly streamId: number;
  readonly error: WireError;
}

export type ClientStreamMessage = DownloadBegin | DownloadAck | FrameGet | StreamCancel;
export type ServerStreamMessage = DownloadReady | FrameReady | StreamFailed;

const maxBytes = Number.MAX_SAFE_INTEGER;

export const clientStreamReaders: MessageReaders<ClientStreamMessage> = {
  'download-begin': {
    keys: ['requestId', 'jobId', 'offset'],
    read: (fields) => ({
      type: 'download-begin',
      requestId: readRequestId(fields),
      jobId: readId(fields, 'jobId'),
      offset: fields.integer('offset', 0, maxBytes),
    }),
  },
  'download-ack': {
    keys: ['streamId', 'receivedBytes'],
    read: (fields) => ({
      type: 'download-ack',
      streamId: readStreamId(fields),
      receivedBytes: fields.integer('receivedBytes', 0, maxBytes),
    }),
  },
  'frame-get': {
    keys: ['requestId', 'side', 'id', 'frameIndex', 'maxSide'],
    read: (fields) => ({
      type: 'frame-get',
      requestId: readRequestId(fields),
      side: fields.oneOf('side', frameSides),
      id: readId(fields, 'id'),
      frameIndex: fields.integer('frameIndex', 0, maxBytes),
      maxSide: fields.integer('maxSide', frameSideRange.min, frameSideRange.max),
    }),
  },
  'stream-cancel': {
    keys: ['streamId'],
    read: (fields) => ({ type: 'stream-cancel', streamId: readStreamId(fields) }),
  },
};

export const serverStreamReaders: MessageReaders<ServerStreamMessage> = {
  'download-ready': {
    keys: ['requestId', 'streamId', 'sizeBytes', 'sha256', 'windowBytes'],
    read: (fields) => ({
      type: 'download-ready',
      requestId: readRequestId(fields),
      streamId: readStreamId(fields),
      sizeBytes: fields.integer('sizeBytes', 0, maxBytes),
      sha256: fields.hex('sha256', 64),
      windowBytes: fields.integer('windowBytes', 1, windowBytes),
    }),
  },
  'frame-ready': {
    keys: ['requestId', 'streamId', 'sizeBytes'],
    read: (fields) => ({
      type: 'frame-ready',
      requestId: readRequestId(fields),
      streamId: readStreamId(fields),
      sizeBytes: fields.integer('sizeBytes', 1, maxFrameBytes),
    }),
  },
  'stream-failed': {
    keys: ['streamId', 'error'],
    read: (fields) => ({
      type: 'stream-failed',
      streamId: readStreamId(fields),
      error: readWireError(fields),
    }),
  },
};
