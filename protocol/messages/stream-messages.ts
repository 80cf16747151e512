// Messages about what the server sends as chunks, results and pictures, about the videos that a browser plays, and about the
// early end of any stream.

import { madeControlKinds } from '../control.ts';
import { count, hex, integer, list, number, oneOf, optional, text } from '../fields.ts';
import {
  frameSideRange,
  maxControlPictureSide,
  maxFrameBytes,
  maxFramesAtOnce,
  maxStillBytes,
  windowBytes,
} from '../limits.ts';
import { rational } from '../media-facts.ts';
import { id, requestId, streamId, type MessageOf } from './message.ts';
import { wireError } from './wire-error.ts';

/** `difference` and `flicker` are computed from both: what the edit has changed, and where only the edit flickers. */
export const frameSides = ['original', 'edit', 'difference', 'flicker'] as const;
export type FrameSide = (typeof frameSides)[number];

export const frameFormats = ['jpeg', 'png'] as const;
export type FrameFormat = (typeof frameFormats)[number];

export const clientStreamMessages = {
  /** Asks for a finished job's result from byte `offset` on. Reply: `download-ready`; then chunks follow. */
  'download-begin': { requestId, jobId: id, offset: count },

  /** Opens the window for more chunks. `receivedBytes` counts from the start of the result. No reply. */
  'download-ack': { streamId, receivedBytes: count },

  /** Asks for one picture. Reply: `frame-ready`; then its chunks follow, without acknowledgement. */
  'frame-get': {
    requestId,
    /** `original`: a frame of the clip `id`. Otherwise a frame of the result of the job `id`, as it is or as a map. */
    side: oneOf(frameSides),
    id,
    /** From 0, within the clip or the result. */
    frameIndex: count,
    /** Pixels of the longer side at most; the picture is made smaller, never larger. */
    maxSide: integer(frameSideRange.min, frameSideRange.max),
    /** `png`: without loss and of the clip's size whatever `maxSide` says, to be painted on; of `original` only. Default: `jpeg`. */
    format: optional(oneOf(frameFormats)),
  },

  /**
   * Asks for what a ControlNet is shown of a frame of the clip, as a JPEG. It is made of the frame at the size of the
   * picture, so lines are as fine as in an edit of that working size. Reply: `frame-ready`, then its chunks.
   */
  'control-picture-get': {
    requestId,
    clipId: id,
    kind: oneOf(madeControlKinds),
    /** From 0, within the clip. */
    frameIndex: count,
    /** Pixels of the longer side at most; the picture is made smaller, never larger. */
    maxSide: integer(frameSideRange.min, maxControlPictureSide),
  },

  /**
   * Asks for the video of one side of a job that is done, to play it. The server makes it if there is none yet, which takes
   * seconds. `original` is the edited range of the clip. Not for previews, whose frames are no neighbours. Reply: `playback`.
   */
  'playback-get': { requestId, jobId: id, side: oneOf(frameSides) },

  /**
   * Asks for several frames of that video as JPEGs, for a client that cannot play it. Reply: `frames-ready`; then the
   * chunks follow, without acknowledgement.
   */
  'frames-get': {
    requestId,
    jobId: id,
    side: oneOf(frameSides),
    /** From 0, within the result. */
    firstFrame: count,
    frames: integer(1, maxFramesAtOnce),
    /** Pixels of the longer side at most; at most those of the video. */
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

  /** Reply to `frame-get` and `control-picture-get`; `sizeBytes` is of the picture. */
  'frame-ready': { requestId, streamId, sizeBytes: integer(1, maxStillBytes) },

  /** Reply to `playback-get`: an H.264 video, which is served in ranges too (HTTP 206). */
  playback: {
    requestId,
    /** Path and query on this server. It works without a token, until `expiresInSeconds` are over. */
    url: text({ min: 1, max: 1_000 }),
    expiresInSeconds: number(0, Number.MAX_VALUE),
    /** As many as the result has, at its frame rate. */
    frames: integer(1, Number.MAX_SAFE_INTEGER),
    frameRate: rational,
    sizeBytes: count,
  },

  /** Reply to `frames-get`. */
  'frames-ready': {
    requestId,
    streamId,
    /**
     * Bytes of each JPEG; the stream has one after the other. Fewer than were asked for where the video ends or the window
     * is full.
     */
    sizes: list(integer(1, maxFrameBytes), maxFramesAtOnce),
  },

  /**
   * Event on every connection of a running job's owner: what a frame of the edit looks like so far, as a JPEG. Its chunks
   * follow. At most one per second; skipped when the client reads too slowly. It is kept nowhere.
   */
  'job-picture': {
    jobId: id,
    streamId,
    sizeBytes: integer(1, maxFrameBytes),
    /** Of the edit, from 0. */
    frameIndex: count,
  },

  /** An upload or download has ended early. */
  'stream-failed': { streamId, error: wireError },
};

export type DownloadBegin = MessageOf<typeof clientStreamMessages, 'download-begin'>;
export type DownloadAck = MessageOf<typeof clientStreamMessages, 'download-ack'>;
export type PlaybackGet = MessageOf<typeof clientStreamMessages, 'playback-get'>;
export type FramesGet = MessageOf<typeof clientStreamMessages, 'frames-get'>;
export type Playback = Omit<MessageOf<typeof serverStreamMessages, 'playback'>, 'type' | 'requestId'>;
export type JobPicture = MessageOf<typeof serverStreamMessages, 'job-picture'>;
export type ControlPictureGet = MessageOf<typeof clientStreamMessages, 'control-picture-get'>;
export type FrameGet = MessageOf<typeof clientStreamMessages, 'frame-get'>;
