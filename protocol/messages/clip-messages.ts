// Messages about clips: sending one, asking for its facts, deleting it.

import { hex, integer, nullable, oneOf } from '../fields.ts';
import { chunkBytes, maxClipBytes, windowBytes } from '../limits.ts';
import { mediaFacts } from '../media-facts.ts';
import { id, requestId, streamId, type MessageOf } from './message.ts';

/** File name endings that a clip may have; the server keeps no other part of the name. */
export const clipExtensions = ['mov', 'mp4', 'm4v', 'mkv', 'webm', 'avi', 'mxf', 'mts'] as const;
export type ClipExtension = (typeof clipExtensions)[number];

/** Of pictures, which the server makes clips of one frame: painted frames, mattes. */
export const pictureExtensions = ['png', 'jpg', 'jpeg', 'tif', 'tiff', 'webp', 'bmp'] as const;
export type PictureExtension = (typeof pictureExtensions)[number];

export type UploadExtension = ClipExtension | PictureExtension;

const sizeBytes = integer(1, maxClipBytes);
const receivedBytes = integer(0, maxClipBytes);

export const clientClipMessages = {
  /** Announces a clip, or continues an upload. Reply: `upload-ready`; then its chunks follow in order. */
  'upload-begin': {
    requestId,
    sizeBytes,
    /** Null when the clip's name ends in none of them. */
    extension: nullable(oneOf([...clipExtensions, ...pictureExtensions])),
    /** Of the whole clip, if it is known already; a clip that the client has sent before is not sent again. */
    sha256: nullable(hex(64)),
    /** From an earlier `upload-ready`, to continue that upload; null to begin a new one. */
    uploadId: nullable(id),
  },

  /** All chunks have been sent. Reply: `upload-done`. */
  'upload-end': {
    requestId,
    streamId,
    /** Of the whole clip. */
    sha256: hex(64),
  },

  /** Reply: `clip`. */
  'clip-get': { requestId, clipId: id },

  /** Deletes a clip that no unfinished job needs. Reply: `clip-deleted`. */
  'clip-delete': { requestId, clipId: id },
};

export const serverClipMessages = {
  /** Reply to `upload-begin`. */
  'upload-ready': {
    requestId,
    /** Names the upload on this and on later connections. */
    uploadId: id,
    /** Names it in chunks and acknowledgements of this connection. */
    streamId,
    /** The offset to continue from: 0 for a new clip, `sizeBytes` for one that is there already. */
    receivedBytes,
    /** Largest chunk. */
    chunkBytes: integer(1, chunkBytes),
    /** Bytes that may be in transit without an `upload-ack`. */
    windowBytes: integer(1, windowBytes),
  },

  /** The server has written the clip's first `receivedBytes` bytes. */
  'upload-ack': { streamId, receivedBytes },

  /** Reply to `upload-end`: the clip is whole, is a video, and can be edited until it is deleted. */
  'upload-done': { requestId, clipId: id, media: mediaFacts },

  /** Reply to `clip-get`. */
  clip: { requestId, clipId: id, sizeBytes, sha256: hex(64), media: mediaFacts },

  /** Reply to `clip-delete`. */
  'clip-deleted': { requestId, clipId: id },
};

export type UploadBegin = MessageOf<typeof clientClipMessages, 'upload-begin'>;
export type UploadEnd = MessageOf<typeof clientClipMessages, 'upload-end'>;
export type ClipGet = MessageOf<typeof clientClipMessages, 'clip-get'>;
export type ClipDelete = MessageOf<typeof clientClipMessages, 'clip-delete'>;
export type UploadReady = MessageOf<typeof serverClipMessages, 'upload-ready'>;
export type UploadDone = MessageOf<typeof serverClipMessages, 'upload-done'>;
