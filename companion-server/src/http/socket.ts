// The WebSocket side of the server: lets a connection in or refuses it, and ties it to a session.

import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { chunkHeaderBytes } from '../../../protocol/chunk.ts';
import { chunkBytes } from '../../../protocol/limits.ts';
import { socketPath, subprotocol } from '../../../protocol/version.ts';
import { refusal, refusalReason } from './app.ts';
import type { Peer } from './peer.ts';
import { createSession, type SessionDeps } from './session.ts';

const closeCodes = { goingAway: 1001, policyViolation: 1008 } as const;

export interface SocketDeps extends SessionDeps {
  /** A connection that has not said a valid hello by then is closed. Default: 10 seconds. */
  readonly helloTimeoutMs?: number;
}

export interface SocketServer {
  /** Ends every connection and waits until nothing of them is left. */
  close(): Promise<void>;
}

/** Serves the socket path of `server`. */
export function attachSocket(server: Server, deps: SocketDeps): SocketServer {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: chunkHeaderBytes + chunkBytes,
    perMessageDeflate: false,
  });
  const sessions = new Set<Promise<void>>();

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const refused = refusalOf(request);
    if (refused !== undefined) {
      refuseUpgrade(stream, refused);
      return;
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      const address = request.socket.remoteAddress ?? 'unknown';
      const ended = serveConnection(socket, address, deps).finally(() => sessions.delete(ended));
      sessions.add(ended);
    });
  });

  return {
    async close() {
      for (const socket of sockets.clients) socket.close(closeCodes.goingAway, 'server stops');
      const waited = [...sessions];
      const impatience = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate();
      }, 1_000);
      await Promise.all(waited);
      clearTimeout(impatience);
    },
  };
}

/** Ties a socket to a session; resolves when the connection has ended and nothing of it is left. */
async function serveConnection(
  socket: WebSocket,
  address: string,
  deps: SocketDeps,
): Promise<void> {
  const { log, helloTimeoutMs = 10_000 } = deps;
  const session = createSession(deps, createPeer(socket, address));
  const helloTimeout = setTimeout(() => {
    if (!session.isWelcome()) socket.close(closeCodes.policyViolation, 'no hello in time');
  }, helloTimeoutMs);
  socket.on('message', (data, isBinary) => {
    const bytes = toBytes(data);
    if (isBinary) session.receiveBinary(bytes);
    else session.receiveText(bytes.toString('utf8'));
  });
  // A 'close' follows every error (a message over the limit, bad framing, a lost connection).
  socket.on('error', (error) => log.warn('A connection broke.', { error: error.message }));
  await new Promise((resolve) => socket.once('close', resolve));
  clearTimeout(helloTimeout);
  await session.close();
}

function createPeer(socket: WebSocket, address: string): Peer {
  return {
    address,
    send: (message) => socket.send(JSON.stringify(message), () => undefined),
    sendChunk: (chunk) => new Promise((resolve) => socket.send(chunk, () => resolve())),
    waitingBytes: () => socket.bufferedAmount,
    close: (reason) => socket.close(closeCodes.policyViolation, reason),
  };
}

interface UpgradeRefusal {
  readonly status: number;
  readonly message: string;
}

function refusalOf({ url, headers }: IncomingMessage): UpgradeRefusal | undefined {
  const reason = refusalReason(headers.host, headers.origin);
  if (reason !== undefined) return { status: 403, message: reason };
  if (url !== socketPath) return { status: 404, message: `The socket is at ${socketPath}.` };
  const asked = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim());
  if (asked?.includes(subprotocol) !== true) {
    return { status: 400, message: `The socket speaks the subprotocol ${subprotocol}.` };
  }
  return undefined;
}

function refuseUpgrade(stream: Duplex, { status, message }: UpgradeRefusal): void {
  const body = JSON.stringify(refusal(message));
  stream.on('error', () => stream.destroy());
  stream.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      'Connection: close',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}

function toBytes(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
