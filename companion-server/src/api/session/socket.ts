// The WebSocket side of the server: lets a connection in or refuses it, ties it to a session, and keeps what one client
// may have at a time.

import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { chunkHeaderBytes } from '../../../../protocol/messages/chunk.ts';
import { chunkBytes } from '../../../../protocol/limits.ts';
import type { ServerMessage } from '../../../../protocol/messages/server-messages.ts';
import { socketPath, subprotocol } from '../../../../protocol/version.ts';
import type { Pairings } from '../../pairing/pairings.ts';
import type { Admission } from '../admission.ts';
import { isEncrypted } from '../app.ts';
import { refusalReason, type GuardOptions } from '../guard.ts';
import { refusal, refusalStatus } from '../refusal.ts';
import type { Metrics } from '../prometheus.ts';
import type { Peer } from './peer.ts';
import { createSession, maxStrangerMessages, type Session, type SessionDeps } from './session.ts';

const closeCodes = { goingAway: 1001, policyViolation: 1008 } as const;

/** Most connections of one client at a time. */
const maxConnections = 16;

/** After so long a silence a ping checks whether the other end of a connection is still there. */
const keepAliveMs = 30_000;

/** Bytes of replies and events that may wait for a client that does not read them; one more ends the connection. */
const maxUnreadBytes = 1024 * 1024;

/** Most bytes that may wait for a client, without the chunks of its downloads; checked at pings. */
const maxBufferedBytes = 8 * 1024 * 1024;

/** How long the other end may take to agree to a close. */
const closeTimeoutMs = 2_000;

export interface SocketDeps extends SessionDeps, GuardOptions {
  readonly pairings: SessionDeps['pairings'] & Pick<Pairings, 'onRevoked'>;
  readonly admission: Pick<Admission, 'trust'>;
  readonly metrics: Metrics;
  /** A connection that has not said a valid hello by then is closed. Default: 10 seconds. */
  readonly helloTimeoutMs?: number;
}

export interface SocketServer {
  /** Ends every connection and waits until nothing of them is left. */
  close(): Promise<void>;
}

/** Serves the socket path of `server`. */
export function attachSocket(server: Server, deps: SocketDeps): SocketServer {
  const { pairings, admission, metrics } = deps;
  const options = {
    noServer: true,
    maxPayload: chunkHeaderBytes + chunkBytes,
    perMessageDeflate: false,
    // The session takes its messages in turns. Here they would delay the end of a connection by a turn each.
    allowSynchronousEvents: true,
    closeTimeout: closeTimeoutMs,
  };
  const sockets = new WebSocketServer(options);
  const sessions = new Set<Promise<void>>();
  const bySocket = new WeakMap<WebSocket, Session>();
  const byClient = new Map<string, Set<Session>>();
  metrics.gauge('tokenflow_connections', 'Open WebSocket connections.', () => sockets.clients.size);
  const answered = metrics.counter('tokenflow_upgrades_total', 'WebSocket upgrades by status.', 'status');

  /** Counts a connection to its client. */
  function admit(session: Session, stream: Duplex, clientId: string): void {
    const own = byClient.get(clientId) ?? new Set();
    byClient.set(clientId, own);
    if (own.has(session)) return;
    if (own.size >= maxConnections) {
      session.showOut('too many connections of one client');
      return;
    }
    admission.trust(stream);
    own.add(session);
    stream.once('close', () => {
      own.delete(session);
      if (own.size === 0) byClient.delete(clientId);
    });
  }

  const forgetRevocations = pairings.onRevoked((clientId) => {
    for (const session of byClient.get(clientId) ?? []) session.showOut('the pairing was revoked');
  });

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const refused = refusalOf(request, deps);
    answered(String(refused?.status ?? 101));
    if (refused !== undefined) {
      refuseUpgrade(stream, refused);
      return;
    }
    request.socket.setKeepAlive(true, keepAliveMs);
    sockets.handleUpgrade(request, stream, head, (socket) => {
      const { remoteAddress = 'unknown', localPort = 0 } = request.socket;
      const place = { address: remoteAddress, port: localPort };
      const peer = createPeer(socket, place, (clientId) => admit(session, stream, clientId));
      const session = createSession(deps, peer);
      bySocket.set(socket, session);
      const ended = serveConnection(socket, session, deps)
        .catch((error: unknown) => {
          deps.log.error('A connection did not end well.', { error: String(error) });
        })
        .finally(() => sessions.delete(ended));
      sessions.add(ended);
    });
  });

  return {
    async close() {
      forgetRevocations();
      for (const socket of sockets.clients) {
        // An unauthenticated connection may have sent much, and a normal close would read all of it first.
        if (bySocket.get(socket)?.isAuthenticated() !== true) socket.terminate();
        else socket.close(closeCodes.goingAway, 'server stops');
      }
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
  session: Session,
  { log, helloTimeoutMs = 10_000 }: SocketDeps,
): Promise<void> {
  const helloTimeout = setTimeout(() => {
    if (!session.isAuthenticated()) socket.close(closeCodes.policyViolation, 'no hello in time');
  }, helloTimeoutMs);
  let pings = 0;
  let lateMessages = 0;
  socket.on('ping', () => {
    // Each ping is answered. A client that does not read the answers is cut off. Without a token it may send only a few.
    const isTooMuch = session.isAuthenticated()
      ? socket.bufferedAmount > maxBufferedBytes
      : ++pings > maxStrangerMessages;
    if (isTooMuch) socket.terminate();
  });
  socket.on('message', (data, isBinary) => {
    if (session.isShownOut()) {
      // A client that has not received the close yet may have sent some; one that sends many more is cut off.
      if (++lateMessages > maxStrangerMessages) socket.terminate();
      return;
    }
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

function createPeer(socket: WebSocket, place: Pick<Peer, 'address' | 'port'>, admit: (clientId: string) => void): Peer {
  /** Bytes of control messages on their way out. */
  let waitingBytes = 0;

  function send(message: ServerMessage): void {
    if (waitingBytes > maxUnreadBytes) {
      // A close would wait behind the bytes that the client does not read.
      socket.terminate();
      return;
    }
    const text = JSON.stringify(message);
    waitingBytes += text.length;
    socket.send(text, () => (waitingBytes -= text.length));
  }

  return {
    ...place,
    admit: ({ clientId }) => admit(clientId),
    send,
    sendChunk: (chunk) => new Promise((resolve) => socket.send(chunk, () => resolve())),
    waitingBytes: () => socket.bufferedAmount,
    close: (reason) => socket.close(closeCodes.policyViolation, reason),
  };
}

interface UpgradeRefusal {
  readonly status: number;
  readonly message: string;
}

function refusalOf(request: IncomingMessage, options: GuardOptions): UpgradeRefusal | undefined {
  const { url, headers } = request;
  const reason = refusalReason({ headers, isEncrypted: isEncrypted(request) }, options);
  if (reason !== undefined) return { status: refusalStatus.unauthenticated, message: reason };
  if (url !== socketPath) return { status: refusalStatus.nothingThere, message: `The socket is at ${socketPath}.` };
  const asked = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim());
  if (asked?.includes(subprotocol) !== true) {
    return { status: refusalStatus.subprotocol, message: `The socket speaks the subprotocol ${subprotocol}.` };
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
