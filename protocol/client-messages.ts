// What a client says: the panel and the command line. Every message with a `requestId` is answered by
// exactly one message with the same `requestId`: the reply named in the comment, or `error`.

import { deviceChoices, type DeviceChoice } from './devices.ts';
import { parseEditSettings, type EditSettings } from './edit-settings.ts';
import { maxClipBytes } from './limits.ts';
import {
  parseMessage,
  readId,
  readRequestId,
  readStreamId,
  type MessageReaders,
} from './message.ts';

/** File name endings that a clip may have; the server keeps no other part of the name. */
export const clipExtensions = ['mov', 'mp4', 'm4v', 'mkv', 'webm', 'avi', 'mxf', 'mts'] as const;
export type ClipExtension = (typeof clipExtensions)[number];

/** First message of a connection. Reply: `welcome`. */
export interface Hello {
  readonly type: 'hello';
  readonly requestId: number;
  readonly protocol: number;
  readonly client: { readonly name: string; readonly version: string };
  /** The secret that the server made when it started. */
  readonly token: string;
}

/** Announces a clip. Reply: `upload-ready`; then its chunks follow in order. */
export interface UploadBegin {
  readonly type: 'upload-begin';
  readonly requestId: number;
  readonly sizeBytes: number;
  /** Null when the clip's name ends in none of them. */
  readonly extension: ClipExtension | null;
}

/** All chunks have been sent. Reply: `upload-done`. */
export interface UploadEnd {
  readonly type: 'upload-end';
  readonly requestId: number;
  readonly streamId: number;
  /** Of the whole clip. */
  readonly sha256: string;
}

/** Ends an upload or download early. No reply; chunks on their way are dropped. */
export interface StreamCancel {
  readonly type: 'stream-cancel';
  readonly streamId: number;
}

/** Reply: `job-created`; then job events follow. */
export interface JobCreate {
  readonly type: 'job-create';
  readonly requestId: number;
  readonly clipId: string;
  readonly settings: EditSettings;
  /** One of `welcome.models`, or null for the first of them. */
  readonly model: string | null;
  readonly device: DeviceChoice;
}

/** Asks for a job's end. Reply: `job-canceling`; the outcome is an event, or was one already. */
export interface JobCancel {
  readonly type: 'job-cancel';
  readonly requestId: number;
  readonly jobId: string;
}

/** Cancels a job where it still runs, and removes its result. Reply: `job-deleted`. */
export interface JobDelete {
  readonly type: 'job-delete';
  readonly requestId: number;
  readonly jobId: string;
}

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

export type ClientMessage =
  | Hello
  | UploadBegin
  | UploadEnd
  | StreamCancel
  | JobCreate
  | JobCancel
  | JobDelete
  | DownloadBegin
  | DownloadAck;

const readers: MessageReaders<ClientMessage> = {
  hello: {
    keys: ['requestId', 'protocol', 'client', 'token'],
    read(fields) {
      const client = fields.object('client', ['name', 'version']);
      return {
        type: 'hello',
        requestId: readRequestId(fields),
        protocol: fields.integer('protocol', 1, 1_000_000),
        client: {
          name: client.text('name', { min: 1, max: 100 }),
          version: client.text('version', { min: 1, max: 100 }),
        },
        token: fields.text('token', { max: 200 }),
      };
    },
  },
  'upload-begin': {
    keys: ['requestId', 'sizeBytes', 'extension'],
    read: (fields) => ({
      type: 'upload-begin',
      requestId: readRequestId(fields),
      sizeBytes: fields.integer('sizeBytes', 1, maxClipBytes),
      extension: fields.nullable('extension', () => fields.oneOf('extension', clipExtensions)),
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
  'stream-cancel': {
    keys: ['streamId'],
    read: (fields) => ({ type: 'stream-cancel', streamId: readStreamId(fields) }),
  },
  'job-create': {
    keys: ['requestId', 'clipId', 'settings', 'model', 'device'],
    read: (fields) => ({
      type: 'job-create',
      requestId: readRequestId(fields),
      clipId: readId(fields, 'clipId'),
      settings: parseEditSettings(fields.value('settings'), `${fields.path}.settings`),
      model: fields.nullable('model', () => fields.text('model', { min: 1, max: 200 })),
      device: fields.oneOf('device', deviceChoices),
    }),
  },
  'job-cancel': {
    keys: ['requestId', 'jobId'],
    read: (fields) => ({
      type: 'job-cancel',
      requestId: readRequestId(fields),
      jobId: readId(fields, 'jobId'),
    }),
  },
  'job-delete': {
    keys: ['requestId', 'jobId'],
    read: (fields) => ({
      type: 'job-delete',
      requestId: readRequestId(fields),
      jobId: readId(fields, 'jobId'),
    }),
  },
  'download-begin': {
    keys: ['requestId', 'jobId', 'offset'],
    read: (fields) => ({
      type: 'download-begin',
      requestId: readRequestId(fields),
      jobId: readId(fields, 'jobId'),
      offset: fields.integer('offset', 0, Number.MAX_SAFE_INTEGER),
    }),
  },
  'download-ack': {
    keys: ['streamId', 'receivedBytes'],
    read: (fields) => ({
      type: 'download-ack',
      streamId: readStreamId(fields),
      receivedBytes: fields.integer('receivedBytes', 0, Number.MAX_SAFE_INTEGER),
    }),
  },
};

/** Reads one JSON control message of a client. Throws FieldError. */
export function parseClientMessage(text: string): ClientMessage {
  return parseMessage(text, readers);
}
