// Messages about clips: sending one, asking what it is, forgetting it.

import { chunkBytes, maxClipBytes, windowBytes } from './limits.ts';
import { readMediaFacts, type MediaFacts } from './media-facts.ts';
import { readId, readRequestId, readStreamId, type MessageReaders } from './message.ts';

/** File name endings that a clip may have; the server keeps no other part of the name. */
export const clipExtensions = ['mov', 'mp4', 'm4v', 'mkv', 'webm', 'avi', 'mxf', 'mts'] as const;
export type ClipExtension = (typeof clipExtensions)[number];

/** Announces a clip, or goes on with one. Reply: `upload-ready`; then its chunks follow in order. */
export interface UploadBegin {
  readonly type: 'upload-begin';
  readonly requestId: number;
  readonly sizeBytes: number;
  /** Null when the clip's name ends in none of them. */
  readonly extension: ClipExtension | null;
  /** Of the whole clip where it is known already; a clip that the client has sent before is not sent again. */
  readonly sha256: string | null;
  /** From an earlier `upload-ready`, to go on with that upload; null to begin a new one. */
  readonly uploadId: string | null;
}

/** All chunks have been sent. Reply: `upload-done`. */
export interface UploadEnd {
  readonly type: 'upload-end';
  readonly requestId: number;
  readonly streamId: number;
  /** Of the whole clip. */
  readonly sha256: string;
}

/** Reply: `clip`. */
export interface ClipGet {
  readonly type: 'clip-get';
  readonly requestId: number;
  readonly clipId: string;
}

/** Forgets a clip that no unfinished job needs. Reply: `clip-deleted`. */
export interface ClipDelete {
  readonly type: 'clip-delete';
  readonly requestId: number;
  readonly clipId: string;
}

/** Reply to `upload-begin`. */
export interface UploadReady {
  readonly type: 'upload-ready';
  readonly requestId: number;
  /** Names the upload on this and on later connections. */
  readonly uploadId: string;
  /** Names it in chunks and acknowledgements of this connection. */
  readonly streamId: number;
  /** Where to go on: 0 for a new clip, `sizeBytes` for one that is there already. */
  readonly receivedBytes: number;
  /** Largest chunk. */
  readonly chunkBytes: number;
  /** Bytes that may be on their way without an `upload-ack`. */
  readonly windowBytes: number;
}

/** The server has written the clip's first `receivedBytes` bytes. */
export interface UploadAck {
  readonly type: 'upload-ack';
  readonly streamId: number;
  readonly receivedBytes: number;
}

/** Reply to `upload-end`: the clip is whole, is a video, and can be edited until it is deleted. */
export interface UploadDone {
  readonly type: 'upload-done';
  readonly requestId: number;
  readonly clipId: string;
  readonly media: MediaFacts;
}

/** Reply to `clip-get`. */
export interface ClipReply {
  readonly type: 'clip';
  readonly requestId: number;
  readonly clipId: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly media: MediaFacts;
}

/** Reply to `clip-delete`. */
export interface ClipDeleted {
  readonly type: 'clip-deleted';
  readonly requestId: number;
  readonly clipId: string;
}

export type ClientClipMessage = UploadBegin | UploadEnd | ClipGet | ClipDelete;
export type ServerClipMessage = UploadReady | UploadAck | UploadDone | ClipReply | ClipDeleted;

export const clientClipReaders: MessageReaders<ClientClipMessage> = {
  'upload-begin': {
    keys: ['requestId', 'sizeBytes', 'extension', 'sha256', 'uploadId'],
    read: (fields) => ({
      type: 'upload-begin',
      requestId: readRequestId(fields),
      sizeBytes: fields.integer('sizeBytes', 1, maxClipBytes),
      extension: fields.nullable('extension', () => fields.oneOf('extension', clipExtensions)),
      sha256: fields.nullable('sha256', () => fields.hex('sha256', 64)),
      uploadId: fields.nullable('uploadId', () => readId(fields, 'uploadId')),
    }),
  },
  'upload-end': {
    keys: ['requestId', 'streamId', 'sha256'],
    read: (fields) => ({
      type: 'upload-end',
      requestId: readRequestId(fields),
      streamId: readStreamId(fields),
      sha256: fields.hex('sha256', 64),
    }),
  },
  'clip-get': {
    keys: ['requestId', 'clipId'],
    read: (fields) => ({
      type: 'clip-get',
      requestId: readRequestId(fields),
      clipId: readId(fields, 'clipId'),
    }),
  },
  'clip-delete': {
    keys: ['requestId', 'clipId'],
    read: (fields) => ({
      type: 'clip-delete',
      requestId: readRequestId(fields),
      clipId: readId(fields, 'clipId'),
    }),
  },
};

export const serverClipReaders: MessageReaders<ServerClipMessage> = {
  'upload-ready': {
    keys: ['requestId', 'uploadId', 'streamId', 'receivedBytes', 'chunkBytes', 'windowBytes'],
    read: (fields) => ({
      type: 'upload-ready',
      requestId: readRequestId(fields),
      uploadId: readId(fields, 'uploadId'),
      streamId: readStreamId(fields),
      receivedBytes: fields.integer('receivedBytes', 0, maxClipBytes),
      chunkBytes: fields.integer('chunkBytes', 1, chunkBytes),
      windowBytes: fields.integer('windowBytes', 1, windowBytes),
    }),
  },
  'upload-ack': {
    keys: ['streamId', 'receivedBytes'],
    read: (fields) => ({
      type: 'upload-ack',
      streamId: readStreamId(fields),
      receivedBytes: fields.integer('receivedBytes', 0, maxClipBytes),
    }),
  },
  'upload-done': {
    keys: ['requestId', 'clipId', 'media'],
    read: (fields) => ({
      type: 'upload-done',
      requestId: readRequestId(fields),
      clipId: readId(fields, 'clipId'),
      media: readMediaFacts(fields),
    }),
  },
  clip: {
    keys: ['requestId', 'clipId', 'sizeBytes', 'sha256', 'media'],
    read: (fields) => ({
      type: 'clip',
      requestId: readRequestId(fields),
      clipId: readId(fields, 'clipId'),
      sizeBytes: fields.integer('sizeBytes', 1, maxClipBytes),
      sha256: fields.hex('sha256', 64),
      media: readMediaFacts(fields),
    }),
  },
  'clip-deleted': {
    keys: ['requestId', 'clipId'],
    read: (fields) => ({
      type: 'clip-deleted',
      requestId: readRequestId(fields),
      clipId: readId(fields, 'clipId'),
    }),
  },
};
