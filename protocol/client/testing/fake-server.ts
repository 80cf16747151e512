// A companion server in memory, made of the protocol's own parsers and types, behind sockets that can be cut at any byte.

import type { ErrorCode } from '../../error-codes.ts';
import type { JobView } from '../../job.ts';
import { parseClientMessage, type ClientMessage } from '../../messages/client-messages.ts';
import type { ServerMessage } from '../../messages/server-messages.ts';
import { makeModelInfo, nothingElse } from '../../testing/models.ts';
import { protocolVersion } from '../../version.ts';
import type { SocketEvents } from '../socket.ts';
import { answer, id, sha256 } from './fake-answers.ts';
import { reportOf } from './fake-jobs.ts';
import type { FakeServer, FakeServerOptions } from './fake-state.ts';
import { createFakeStreams } from './fake-streams.ts';

export function createFakeServer(options: FakeServerOptions = {}): FakeServer {
  const { chunkBytes = 64, windowBytes = 256, result = new Uint8Array(0), resultSha256 } = options;
  const refusals = new Map<string, ErrorCode>();
  const open = new Set<() => void>();
  const events = new Set<(message: ServerMessage) => void>();
  const viewers = new Set<(jobId: string, jpeg: Uint8Array) => void>();
  let ids = 0;
  const answering = {
    sizes: { chunkBytes, windowBytes },
    resultSha256,
    newId: () => id(++ids),
    takeRefusal(type: ClientMessage['type']) {
      const refusal = refusals.get(type);
      refusals.delete(type);
      return refusal;
    },
  };

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

  function connect(url: string, client: SocketEvents) {
    const address = new URL(url).origin.replace('ws', 'http');
    const isSilent = server.silentAt.has(address);
    const isHere = server.listensAt === null || server.listensAt === address;
    server.connections += 1;
    let isOpen = false;
    let isGone = false;

    /** Whatever crosses the wire takes a turn of the event loop. */
    const later = (run: () => void): void => void setImmediate(() => !isGone && run());
    const say = (message: ServerMessage): void => {
      if (server.isAwake && !isSilent) later(() => client.onText(JSON.stringify(message)));
    };
    const cut = (): void => end(1006);
    const sendBytes = (bytes: Uint8Array): void => client.onBytes(bytes);
    const streams = createFakeStreams(server, answering.sizes, { say, sendBytes, later, cut });
    function show(jobId: string, jpeg: Uint8Array): void {
      const { streamId, send } = streams.openPiece();
      say({ type: 'job-picture', jobId, streamId, sizeBytes: jpeg.length, frameIndex: 0 });
      send(jpeg);
    }
    function end(closeCode: number): void {
      if (isGone) return;
      isGone = true;
      viewers.delete(show);
      open.delete(cut);
      events.delete(say);
      setImmediate(() => client.onClose(closeCode, ''));
    }
    if (isSilent || (server.isUp && isHere)) {
      open.add(cut);
      later(() => {
        isOpen = true;
        client.onOpen();
      });
    } else {
      setImmediate(cut);
    }
    function greeted(): void {
      events.add(say);
      viewers.add(show);
    }

    function hear(data: string | Uint8Array): void {
      if (isGone || !server.isAwake || isSilent) return;
      if (typeof data !== 'string') streams.receive(data);
      else answer(server, parseClientMessage(data), { address, say, streams, greeted }, answering);
    }

    return {
      send(data: string | Uint8Array) {
        if (typeof data !== 'string') streams.watchSent(data);
        if (isOpen) later(() => hear(data));
      },
      close: () => end(1000),
    };
  }
  return server;
}
