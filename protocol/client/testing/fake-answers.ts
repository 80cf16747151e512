// What the server in memory answers to each message of a client.

import { createHash, createHmac } from 'node:crypto';
import type { ErrorCode } from '../../error-codes.ts';
import { proofText, type Identity } from '../../identity.ts';
import type { JobView } from '../../job.ts';
import type { ClientMessage } from '../../messages/client-messages.ts';
import type { ServerMessage } from '../../messages/server-messages.ts';
import { clipMedia, estimatesOf, newJob } from './fake-jobs.ts';
import { code, licenceHash, token, type FakeServer } from './fake-state.ts';
import type { FakeStreams, StreamSizes } from './fake-streams.ts';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The id of number `count`. */
export const id = (count: number): string => count.toString(16).padStart(32, '0');

/** A connection that asks, and what it changes. */
export interface Asker {
  /** The server's, as the client calls it. */
  readonly address: string;
  readonly say: (message: ServerMessage) => void;
  readonly streams: FakeStreams;
  /** Called when its hello is answered: from here on it hears of jobs and models. */
  readonly greeted: () => void;
}

export interface AnswerOptions {
  readonly sizes: StreamSizes;
  /** What the result hashes to, where the server lies. */
  readonly resultSha256: string | undefined;
  readonly newId: () => string;
  /** The code of the refusal that the next request of this type gets, once. */
  readonly takeRefusal: (type: ClientMessage['type']) => ErrorCode | undefined;
}

function identityOf({ panelKey, protocol }: FakeServer, nonce: string, address: string): Identity {
  const proof = createHmac('sha256', Buffer.from(panelKey, 'hex'))
    .update(proofText(nonce, Number(new URL(address).port)))
    .digest('hex');
  return { name: 'tokenflow', version: '0.1.0', protocol, instanceId: id(7), proof };
}

export function answer(
  server: FakeServer,
  message: ClientMessage,
  { address, say, streams, greeted }: Asker,
  { sizes, resultSha256, newId, takeRefusal }: AnswerOptions,
): void {
  const { result } = server;
  const { windowBytes } = sizes;
  server.heard.push(message);
  const requestId = 'requestId' in message ? message.requestId : 0;
  const fail = (errorCode: ErrorCode): void =>
    say({ type: 'error', requestId, error: { code: errorCode, message: 'Refused.' } });
  const refusal = takeRefusal(message.type);
  if (refusal !== undefined) {
    fail(refusal);
    return;
  }
  const jobReply = (job: JobView | undefined): void => {
    if (job === undefined) fail('job-missing');
    else say({ type: 'job', requestId, job });
  };
  switch (message.type) {
    case 'identify':
      say({ type: 'identity', requestId, ...identityOf(server, message.nonce, address) });
      break;
    case 'pair':
      if (message.code === code || message.code === server.panelKey)
        say({ type: 'paired', requestId, clientId: id(1), token });
      else fail('pairing-refused');
      break;
    case 'hello':
      if (server.protocol !== message.protocol) fail('version-mismatch');
      else if (!server.acceptsToken || message.token !== token) fail('not-paired');
      else {
        greeted();
        const { models } = server.models;
        const facts = { name: 'tokenflow', version: '0.1.0' };
        say({ type: 'welcome', requestId, protocol: server.protocol, server: facts, device: null, models });
        if (server.downloads.length > 0) say({ type: 'model-downloads', downloads: server.downloads });
      }
      break;
    case 'upload-begin': {
      const uploadId = message.uploadId ?? newId();
      if (message.uploadId === null) server.uploads.set(uploadId, new Uint8Array(0));
      say({ type: 'upload-ready', requestId, uploadId, ...streams.openUpload(uploadId), ...sizes });
      break;
    }
    case 'upload-end': {
      const bytes = streams.uploaded(message.streamId);
      if (bytes === undefined || sha256(bytes) !== message.sha256) fail('transfer-damaged');
      else say({ type: 'upload-done', requestId, clipId: id(99), media: clipMedia });
      break;
    }
    case 'job-create': {
      const known = [...server.jobs.values()].find(({ key }) => key === message.key);
      const job = known ?? newJob(newId(), message);
      server.jobs.set(job.jobId, job);
      jobReply(job);
      break;
    }
    case 'job-list':
      say({ type: 'job-listed', requestId, jobs: [...server.jobs.values()], isComplete: true });
      break;
    case 'job-get':
    case 'job-pause':
    case 'job-resume':
    case 'job-move':
      jobReply(server.jobs.get(message.jobId));
      break;
    case 'job-cancel':
      server.changeJob(message.jobId, 'canceled');
      jobReply(server.jobs.get(message.jobId));
      break;
    case 'estimate': {
      const { estimateId } = message;
      const estimated = (): void => say({ type: 'estimated', requestId, estimateId, ...estimatesOf(message) });
      if (server.heldEstimates === null) estimated();
      else server.heldEstimates.push(estimated);
      break;
    }
    case 'job-delete':
      if (server.jobs.delete(message.jobId)) say({ type: 'job-deleted', requestId, jobId: message.jobId });
      else fail('job-missing');
      break;
    case 'download-begin': {
      const facts = { sizeBytes: result.length, sha256: resultSha256 ?? sha256(result), windowBytes };
      const { streamId, start } = streams.openDownload(message.offset, message.offset);
      say({ type: 'download-ready', requestId, streamId, ...facts });
      start();
      break;
    }
    case 'download-ack':
      streams.acknowledge(message.streamId, message.receivedBytes);
      break;
    case 'control-picture-get':
    case 'frame-get': {
      const { streamId, start } = streams.openDownload(0, Number.POSITIVE_INFINITY);
      say({ type: 'frame-ready', requestId, streamId, sizeBytes: result.length });
      start();
      break;
    }
    case 'sample-get': {
      const { streamId, send } = streams.openPiece();
      say({ type: 'sample-ready', requestId, streamId, sizeBytes: server.sample.length });
      send(server.sample);
      break;
    }
    case 'licence-get': {
      const { modelId } = message;
      const url = 'https://example.org/licence';
      say({ type: 'licence', requestId, modelId, name: 'Fair', url, text: 'Be fair.', sha256: licenceHash });
      break;
    }
    case 'model-download':
      if (message.acceptedLicence === null || message.acceptedLicence === licenceHash) {
        say({ type: 'model-download-taken', requestId, modelId: message.modelId });
      } else fail('licence-not-accepted');
      break;
    case 'model-download-pause':
    case 'model-download-cancel':
      say({ type: 'model-download-taken', requestId, modelId: message.modelId });
      break;
    case 'model-remove':
      say({ type: 'model-removed', requestId, kind: message.kind, name: message.name });
      break;
    case 'playback-get': {
      const { frameRate } = clipMedia;
      const facts = { expiresInSeconds: 600, frames: 50, frameRate, sizeBytes: result.length };
      say({ type: 'playback', requestId, url: `/playback/${message.jobId}/${message.side}`, ...facts });
      break;
    }
    case 'frames-get': {
      const { streamId, send } = streams.openPiece();
      const pieces = Array.from({ length: Math.min(message.frames, 50 - message.firstFrame) }, () => 1);
      say({ type: 'frames-ready', requestId, streamId, sizes: pieces });
      if (pieces.length > 0) send(new Uint8Array(pieces.length).fill(7));
      break;
    }
    case 'stream-cancel':
      streams.cancel(message.streamId);
      break;
    case 'clip-get': {
      const bytes = [...server.uploads.values()].at(-1);
      if (bytes === undefined || message.clipId !== id(99)) fail('clip-missing');
      else {
        const { clipId } = message;
        say({ type: 'clip', requestId, clipId, sizeBytes: bytes.length, sha256: sha256(bytes), media: clipMedia });
      }
      break;
    }
    case 'storage-get':
      say({
        type: 'storage',
        requestId,
        clipsBytes: [...server.uploads.values()].reduce((sum, { length }) => sum + length, 0),
        resultsBytes: server.jobs.size * result.length,
        cacheBytes: 0,
        freeBytes: 1e9,
      });
      break;
    case 'models-get':
      say({ type: 'models', requestId, ...server.models });
      break;
    case 'clip-delete':
    case 'diagnostics-get':
      fail('invalid-request');
  }
}
