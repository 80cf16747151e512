// What the companion server says: replies, which carry the `requestId` of what they answer, and events.

import { readEditReport, type EditReport } from './edit-report.ts';
import { readWireError, type WireError } from './error-codes.ts';
import { chunkBytes, windowBytes } from './limits.ts';
import {
  parseMessage,
  readId,
  readRequestId,
  readStreamId,
  type MessageReaders,
} from './message.ts';
import { readEditProgress, type EditProgress } from './progress.ts';

/** Reply to `hello`. */
export interface Welcome {
  readonly type: 'welcome';
  readonly requestId: number;
  readonly protocol: number;
  readonly server: { readonly name: string; readonly version: string };
  /** Names of the checkpoints that a job may use; the first is the default. */
  readonly models: readonly string[];
}

/** Reply to `upload-begin`. At most `windowBytes` may be on their way without an `upload-ack`. */
export interface UploadReady {
  readonly type: 'upload-ready';
  readonly requestId: number;
  readonly streamId: number;
  readonly chunkBytes: number;
  readonly windowBytes: number;
}

/** The server has written the clip's first `receivedBytes` bytes. */
export interface UploadAck {
  readonly type: 'upload-ack';
  readonly streamId: number;
  readonly receivedBytes: number;
}

/** Reply to `upload-end`: the clip is whole and can be edited until the connection ends. */
export interface UploadDone {
  readonly type: 'upload-done';
  readonly requestId: number;
  readonly clipId: string;
}

/** Reply to `job-create`. */
export interface JobCreated {
  readonly type: 'job-created';
  readonly requestId: number;
  readonly jobId: string;
}

/** The job has left the queue. */
export interface JobStarted {
  readonly type: 'job-started';
  readonly jobId: string;
}

export interface JobProgress {
  readonly type: 'job-progress';
  readonly jobId: string;
  readonly progress: EditProgress;
}

/** Outcome: the result can be downloaded until the job is deleted or the connection ends. */
export interface JobDone {
  readonly type: 'job-done';
  readonly jobId: string;
  readonly report: EditReport;
  readonly result: { readonly sizeBytes: number; readonly sha256: string };
}

/** Outcome: the edit ended in an error. Nothing of it is left. */
export interface JobFailed {
  readonly type: 'job-failed';
  readonly jobId: string;
  readonly error: WireError;
}

/** Outcome: the job was canceled, by its client or by the server's end. Nothing of it is left. */
export interface JobCanceled {
  readonly type: 'job-canceled';
  readonly jobId: string;
}

/** Reply to `job-cancel`. */
export interface JobCanceling {
  readonly type: 'job-canceling';
  readonly requestId: number;
  readonly jobId: string;
}

/** Reply to `job-delete`. */
export interface JobDeleted {
  readonly type: 'job-deleted';
  readonly requestId: number;
  readonly jobId: string;
}

/** Reply to `download-begin`. At most `windowBytes` are on their way without a `download-ack`. */
export interface DownloadReady {
  readonly type: 'download-ready';
  readonly requestId: number;
  readonly streamId: number;
  readonly windowBytes: number;
}

/** An upload or download has ended early. */
export interface StreamFailed {
  readonly type: 'stream-failed';
  readonly streamId: number;
  readonly error: WireError;
}

/** Reply to any request that cannot be granted; null when its `requestId` could not be read. */
export interface ErrorReply {
  readonly type: 'error';
  readonly requestId: number | null;
  readonly error: WireError;
}

export type JobOutcome = JobDone | JobFailed | JobCanceled;
export type JobEvent = JobStarted | JobProgress | JobOutcome;

export type ServerMessage =
  | Welcome
  | UploadReady
  | UploadAck
  | UploadDone
  | JobCreated
  | JobEvent
  | JobCanceling
  | JobDeleted
  | DownloadReady
  | StreamFailed
  | ErrorReply;

const maxBytes = Number.MAX_SAFE_INTEGER;

const readers: MessageReaders<ServerMessage> = {
  welcome: {
    keys: ['requestId', 'protocol', 'server', 'models'],
    read(fields) {
      const server = fields.object('server', ['name', 'version']);
      return {
        type: 'welcome',
        requestId: readRequestId(fields),
        protocol: fields.integer('protocol', 1, 1_000_000),
        server: {
          name: server.text('name', { max: 100 }),
          version: server.text('version', { max: 100 }),
        },
        models: fields.texts('models', 1_000, 200),
      };
    },
  },
  'upload-ready': {
    keys: ['requestId', 'streamId', 'chunkBytes', 'windowBytes'],
    read: (fields) => ({
      type: 'upload-ready',
      requestId: readRequestId(fields),
      streamId: readStreamId(fields),
      chunkBytes: fields.integer('chunkBytes', 1, chunkBytes),
      windowBytes: fields.integer('windowBytes', 1, windowBytes),
    }),
  },
  'upload-ack': {
    keys: ['streamId', 'receivedBytes'],
    read: (fields) => ({
      type: 'upload-ack',
      streamId: readStreamId(fields),
      receivedBytes: fields.integer('receivedBytes', 0, maxBytes),
    }),
  },
  'upload-done': {
    keys: ['requestId', 'clipId'],
    read: (fields) => ({
      type: 'upload-done',
      requestId: readRequestId(fields),
      clipId: readId(fields, 'clipId'),
    }),
  },
  'job-created': {
    keys: ['requestId', 'jobId'],
    read: (fields) => ({
      type: 'job-created',
      requestId: readRequestId(fields),
      jobId: readId(fields, 'jobId'),
    }),
  },
  'job-started': {
    keys: ['jobId'],
    read: (fields) => ({ type: 'job-started', jobId: readId(fields, 'jobId') }),
  },
  'job-progress': {
    keys: ['jobId', 'progress'],
    read: (fields) => ({
      type: 'job-progress',
      jobId: readId(fields, 'jobId'),
      progress: readEditProgress(fields),
    }),
  },
  'job-done': {
    keys: ['jobId', 'report', 'result'],
    read(fields) {
      const result = fields.object('result', ['sizeBytes', 'sha256']);
      return {
        type: 'job-done',
        jobId: readId(fields, 'jobId'),
        report: readEditReport(fields),
        result: {
          sizeBytes: result.integer('sizeBytes', 0, maxBytes),
          sha256: result.hex('sha256', 64),
        },
      };
    },
  },
  'job-failed': {
    keys: ['jobId', 'error'],
    read: (fields) => ({
      type: 'job-failed',
      jobId: readId(fields, 'jobId'),
      error: readWireError(fields),
    }),
  },
  'job-canceled': {
    keys: ['jobId'],
    read: (fields) => ({ type: 'job-canceled', jobId: readId(fields, 'jobId') }),
  },
  'job-canceling': {
    keys: ['requestId', 'jobId'],
    read: (fields) => ({
      type: 'job-canceling',
      requestId: readRequestId(fields),
      jobId: readId(fields, 'jobId'),
    }),
  },
  'job-deleted': {
    keys: ['requestId', 'jobId'],
    read: (fields) => ({
      type: 'job-deleted',
      requestId: readRequestId(fields),
      jobId: readId(fields, 'jobId'),
    }),
  },
  'download-ready': {
    keys: ['requestId', 'streamId', 'windowBytes'],
    read: (fields) => ({
      type: 'download-ready',
      requestId: readRequestId(fields),
      streamId: readStreamId(fields),
      windowBytes: fields.integer('windowBytes', 1, windowBytes),
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
  error: {
    keys: ['requestId', 'error'],
    read: (fields) => ({
      type: 'error',
      requestId: fields.nullable('requestId', () => readRequestId(fields)),
      error: readWireError(fields),
    }),
  },
};

/** Reads one JSON control message of the companion server. Throws FieldError. */
export function parseServerMessage(text: string): ServerMessage {
  return parseMessage(text, readers);
}
