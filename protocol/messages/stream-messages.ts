// Messages about what the server sends as chunks, results and single pictures, and about the early end of any stream.

import { count, hex, integer, oneOf } from '../fields.ts';
import { frameSideRange, maxFrameBytes, windowBytes } from '../limits.ts';
import { id, requestId, streamId, type MessageOf } from './message.ts';
import { wireError } from './wire-error.ts';

/** `difference` and `flicker` are computed from both: what the edit has changed, and where only the edit flickers. */
export const frameSides = ['original', 'edit', 'difference', 'flicker'] as const;
export type FrameSide = (typeof frameSides)[number];

export const clientStreamMessages = {
  /** Asks for a finished job's result from byte `offset` on. Reply: `download-ready`; then chunks follow. */
  'download-begin': { requestId, jobId: id, offset: count },

  /** Opens the window for more chunks. `receivedBytes` counts from the start of the result. No reply. */
  'download-ack': { streamId, receivedBytes: count },

  /** Asks for one picture as a JPEG. Reply: `frame-ready`; then its chunks follow, without acknowledgement. */
  'frame-get': {
    requestId,
    /** `original`: a frame of the clip `id`. Otherwise a frame of the result of the job `id`, as it is or as a map. */
    side: oneOf(frameSides),
    id,
    /** From 0, within the clip or the result. */
    frameIndex: count,
    /** Pixels of the longer side at most; the picture is made smaller, never larger. */
    maxSide: integer(frameSideRange.min, frameSideRange.max),
  },

  /** Ends an upload or download early. No reply; chunks in transit are dropped. Received bytes of an upload are kept. */
  'stream-cancel': { streamId },
};

export const serverStreamMessages = {
  /** Reply to `download-begin`. */
  'download-ready': {
    requestId,
    streamId,
    /** Of the whole result; the stream has `sizeBytes - offset` bytes. */
    sizeBytes: count,
    /** Of the whole result. */
    sha256: hex(64),
    /** At most so many bytes are in transit without a `download-ack`. */
    windowBytes: integer(1, windowBytes),
  },

  /** Reply to `frame-get`; `sizeBytes` is of the JPEG. */
  'frame-ready': { requestId, streamId, sizeBytes: integer(1, maxFrameBytes) },

  /** An upload or download has ended early. */
  'stream-failed': { streamId, error: wireError },
};

export type DownloadBegin = MessageOf<typeof clientStreamMessages, 'download-begin'>;
export type DownloadAck = MessageOf<typeof clientStreamMessages, 'download-ack'>;
export type FrameGet = MessageOf<typeof clientStreamMessages, 'frame-get'>;
