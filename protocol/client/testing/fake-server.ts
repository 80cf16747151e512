// A companion server in memory, made of the protocol's own parsers and types, behind sockets that can be cut at any byte.

import { createHash, createHmac } from 'node:crypto';
import { encodeChunk, parseChunk } from '../../messages/chunk.ts';
import { parseClientMessage, type ClientMessage } from '../../messages/client-messages.ts';
import type { ErrorCode } from '../../error-codes.ts';
import { proofText, type Identity } from '../../identity.ts';
import type { JobState, JobView } from '../../job.ts';
import type { ModelDownload } from '../../model-offers.ts';
import type { ServerMessage } from '../../messages/server-messages.ts';
import type { ModelLists } from '../../messages/session-messages.ts';
import { makeModelInfo, nothingElse } from '../../testing/models.ts';
import { protocolVersion } from '../../version.ts';
import type { OpenSocket, SocketEvents } from '../socket.ts';
import { clipMedia, estimatesOf, newJob, reportOf } from './fake-jobs.ts';

export const token = 'a'.repeat(64);
export const code = 'K7QF-3MXD';
/** Of the licence of every model that the server offers. */
export const licenceHash = 'f'.repeat(64);

export interface FakeServer {
  readonly openSocket: OpenSocket;
  /** False: connections are refused. */
  isUp: boolean;
  /** False: it hears and says nothing, as a machine that sleeps. */
  isAwake: boolean;
  protocol: number;
  /** Where it listens; null: everywhere. Elsewhere connections are refused. */
  listensAt: string | null;
  /** Where a program takes connections in and says nothing. */
  readonly silentAt: Set<string>;
  /** The key that it proves itself by, and that pairs. */
  panelKey: string;
  acceptsToken: boolean;
  /** Media bytes after which the connection of the moment is cut, in either direction, one per connection. */
  readonly cuts: number[];
  readonly result: Uint8Array;
  /** Uploads by id: what has come. */
  readonly uploads: Map<string, Uint8Array>;
  /** Media bytes that came although they were there already. */
  repeatedBytes: number;
  /** Most media bytes that were ever on their way without acknowledgement. */
  mostUnacknowledged: number;
  readonly heard: ClientMessage[];
  /** Estimates that wait for the test, which calls them in any order: each says its answer. Null: they are answered at once. */
  heldEstimates: (() => void)[] | null;
  readonly jobs: Map<string, JobView>;
  /** What it finds on its machine. */
  models: ModelLists;
  /** Downloads that are told at every hello. */
  downloads: ModelDownload[];
  /** Bytes of every sample clip. */
  sample: Uint8Array;
  /** The next request of this type is refused with this code. */
  refuse(type: ClientMessage['type'], errorCode: ErrorCode): void;
  /** Ends every connection. */
  cutAll(): void;
  changeJob(jobId: string, state: JobState): void;
  /** Sends every client a picture of a running job, of so many bytes. */
  showPicture(jobId: string, sizeBytes: number): void;
  /** Says this on every connection that was greeted. */
  tell(message: ServerMessage): void;
  connections: number;
}

export interface FakeServerOptions {
  readonly chunkBytes?: number;
  readonly windowBytes?: number;
  readonly result?: Uint8Array;
  /** What the server says the result hashes to, where that is a lie. */
  readonly resultSha256?: string;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const id = (count: number): string => count.toString(16).padStart(32, '0');

export function createFakeServer(options: FakeServerOptions = {}): FakeServer {
  const { chunkBytes = 64, windowBytes = 256, result = new Uint8Array(0) } = options;
  const refusals = new Map<string, ErrorCode>();
  const open = new Set<() => void>();
  const events = new Set<(message: ServerMessage) => void>();
  const viewers = new Set<(jobId: string, jpeg: Uint8Array) => void>();
  let ids = 0;

  const server: FakeServer = {
    isUp: true,
    isAwake: true,
    protocol: protocolVersion,
    listensAt: null,
    silentAt: new Set(),
    panelKey: 'c'.repeat(64),
    acceptsToken: true,
    cuts: [],
    result,
    uploads: new Map(),
    repeatedBytes: 0,
    mostUnacknowledged: 0,
    heard: [],
    heldEstimates: null,
    jobs: new Map(),
    models: { models: [makeModelInfo({ id: 'demo', title: 'Demo' })], loras: [], ...nothingElse },
    downloads: [],
    sample: Uint8Array.of(1, 2, 3),
    connections: 0,
    openSocket: connect,
    refuse: (type, errorCode) => void refusals.set(type, errorCode),
    tell(message) {
      for (const say of events) say(message);
    },
    cutAll() {
      for (const cut of [...open]) cut();
    },
    showPicture(jobId, sizeBytes) {
      for (const show of viewers) show(jobId, new Uint8Array(sizeBytes).fill(7));
    },
    changeJob(jobId, state) {
      const job = server.jobs.get(jobId);
      if (job === undefined) throw new Error(`There is no job ${jobId}.`);
      const changed: JobView = {
        ...job,
        state,
        result: state === 'done' ? { sizeBytes: result.length, sha256: sha256(result) } : null,
        report: state === 'done' ? reportOf(job) : null,
      };
      server.jobs.set(jobId, changed);
      server.tell({ type: 'job-changed', job: changed });
    },
  };

  function identityFor(nonce: string, address: string): Identity {
    const proof = createHmac('sha256', Buffer.from(server.panelKey, 'hex'))
      .update(proofText(nonce, Number(new URL(address).port)))
      .digest('hex');
    return { name: 'tokenflow', version: '0.1.0', protocol: server.protocol, instanceId: id(7), proof };
  }

  function connect(url: string, client: SocketEvents) {
    const address = new URL(url).origin.replace('ws', 'http');
    const isSilent = server.silentAt.has(address);
    const isHere = server.listensAt === null || server.listensAt === address;
    server.connections += 1;
    const streams = new Map<number, { readonly uploadId: string }>();
    const downloads = new Map<number, { offset: number; acknowledged: number }>();
    let streamIds = 0;
    let isOpen = false;
    let isGone = false;
    /** Media bytes of the upload of which the client has heard that they are there. */
    let acknowledged = 0;
    let mediaLeft = server.cuts.shift() ?? Number.POSITIVE_INFINITY;

    /** Whatever crosses the wire takes a turn of the event loop. */
    const later = (run: () => void): void => void setImmediate(() => !isGone && run());
    const say = (message: ServerMessage): void => {
      if (server.isAwake && !isSilent) later(() => client.onText(JSON.stringify(message)));
    };
    function show(jobId: string, jpeg: Uint8Array): void {
      const streamId = ++streamIds;
      say({ type: 'job-picture', jobId, streamId, sizeBytes: jpeg.length, frameIndex: 0 });
      later(() => client.onBytes(encodeChunk({ streamId, offset: 0, bytes: jpeg })));
    }
    function end(closeCode: number): void {
      if (isGone) return;
      isGone = true;
      viewers.delete(show);
      open.delete(cut);
      events.delete(say);
      setImmediate(() => client.onClose(closeCode, ''));
    }
    const cut = (): void => end(1006);
    if (isSilent || (server.isUp && isHere)) {
      open.add(cut);
      later(() => {
        isOpen = true;
        client.onOpen();
      });
    } else {
      setImmediate(cut);
    }

    function hear(data: string | Uint8Array): void {
      if (isGone || !server.isAwake || isSilent) return;
      if (typeof data === 'string') answer(parseClientMessage(data));
      else receive(data);
    }

    function receive(data: Uint8Array): void {
      const { streamId, offset, bytes } = parseChunk(data);
      const uploadId = streams.get(streamId)?.uploadId ?? '';
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
      later(() => (acknowledged = whole.length));
      say({ type: 'upload-ack', streamId, receivedBytes: whole.length });
    }

    function pump(streamId: number): void {
      const stream = downloads.get(streamId);
      if (stream === undefined || isGone) return;
      while (stream.offset < result.length && stream.offset - stream.acknowledged < windowBytes) {
        const bytes = result.subarray(stream.offset, stream.offset + chunkBytes);
        if (bytes.length > mediaLeft) {
          later(cut);
          return;
        }
        mediaLeft -= bytes.length;
        const chunk = encodeChunk({ streamId, offset: stream.offset, bytes });
        later(() => client.onBytes(chunk));
        stream.offset += bytes.length;
        server.mostUnacknowledged = Math.max(server.mostUnacknowledged, stream.offset - stream.acknowledged);
      }
    }

    function answer(message: ClientMessage): void {
      server.heard.push(message);
      const refusal = refusals.get(message.type);
      const requestId = 'requestId' in message ? message.requestId : 0;
      const fail = (errorCode: ErrorCode): void =>
        say({
          type: 'error',
          requestId,
          error: { code: errorCode, message: 'Refused.' },
        });
      if (refusal !== undefined) {
        refusals.delete(message.type);
        fail(refusal);
        return;
      }
      const jobReply = (job: JobView | undefined): void => {
        if (job === undefined) fail('job-missing');
        else say({ type: 'job', requestId, job });
      };
      switch (message.type) {
        case 'identify':
          say({ type: 'identity', requestId, ...identityFor(message.nonce, address) });
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
            events.add(say);
            viewers.add(show);
            const { models } = server.models;
            const facts = { name: 'tokenflow', version: '0.1.0' };
            say({ type: 'welcome', requestId, protocol: server.protocol, server: facts, device: null, models });
            if (server.downloads.length > 0) say({ type: 'model-downloads', downloads: server.downloads });
          }
          break;
        case 'upload-begin': {
          const uploadId = message.uploadId ?? id(++ids);
          const receivedBytes = server.uploads.get(uploadId)?.length ?? 0;
          if (message.uploadId === null) server.uploads.set(uploadId, new Uint8Array(0));
          streams.set(++streamIds, { uploadId });
          acknowledged = receivedBytes;
          say({
            type: 'upload-ready',
            requestId,
            uploadId,
            streamId: streamIds,
            receivedBytes,
            chunkBytes,
            windowBytes,
          });
          break;
        }
        case 'upload-end': {
          const bytes = server.uploads.get(streams.get(message.streamId)?.uploadId ?? '');
          if (bytes === undefined || sha256(bytes) !== message.sha256) fail('transfer-damaged');
          else say({ type: 'upload-done', requestId, clipId: id(99), media: clipMedia });
          break;
        }
        case 'job-create': {
          const known = [...server.jobs.values()].find(({ key }) => key === message.key);
          const job = known ?? newJob(id(++ids), message);
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
          const facts = { sizeBytes: result.length, sha256: options.resultSha256 ?? sha256(result), windowBytes };
          downloads.set(++streamIds, { offset: message.offset, acknowledged: message.offset });
          say({ type: 'download-ready', requestId, streamId: streamIds, ...facts });
          pump(streamIds);
          break;
        }
        case 'download-ack': {
          const stream = downloads.get(message.streamId);
          if (stream !== undefined) stream.acknowledged = message.receivedBytes;
          pump(message.streamId);
          break;
        }
        case 'frame-get': {
          const streamId = ++streamIds;
          say({ type: 'frame-ready', requestId, streamId, sizeBytes: result.length });
          downloads.set(streamId, { offset: 0, acknowledged: Number.POSITIVE_INFINITY });
          pump(streamId);
          break;
        }
        case 'sample-get': {
          const streamId = ++streamIds;
          say({ type: 'sample-ready', requestId, streamId, sizeBytes: server.sample.length });
          const chunk = encodeChunk({ streamId, offset: 0, bytes: server.sample });
          later(() => client.onBytes(chunk));
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
          const streamId = ++streamIds;
          const sizes = Array.from({ length: Math.min(message.frames, 50 - message.firstFrame) }, () => 1);
          say({ type: 'frames-ready', requestId, streamId, sizes });
          const bytes = new Uint8Array(sizes.length).fill(7);
          if (bytes.length > 0) later(() => client.onBytes(encodeChunk({ streamId, offset: 0, bytes })));
          break;
        }
        case 'stream-cancel':
          downloads.delete(message.streamId);
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

    return {
      send(data: string | Uint8Array) {
        if (typeof data !== 'string') {
          const { offset, bytes } = parseChunk(data);
          server.mostUnacknowledged = Math.max(server.mostUnacknowledged, offset + bytes.length - acknowledged);
        }
        if (isOpen) later(() => hear(data));
      },
      close: () => end(1000),
    };
  }
  return server;
}
