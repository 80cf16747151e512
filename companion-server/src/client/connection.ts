// A client's side of the socket: requests that wait for their reply, events, and chunks.

import { once } from 'node:events';
import { WebSocket, type RawData } from 'ws';
import { parseChunk, type Chunk } from '../../../protocol/chunk.ts';
import type { ClientMessage } from '../../../protocol/client-messages.ts';
import type { Notice, ReplyTo, Request, RequestOf } from '../../../protocol/replies.ts';
import type { Peer, Welcome } from '../../../protocol/session-messages.ts';
import { parseServerMessage, type ServerMessage } from '../../../protocol/server-messages.ts';
import { protocolVersion, socketPath, subprotocol } from '../../../protocol/version.ts';
import { CanceledError, EditError } from '../errors.ts';
import { fromWireError } from '../wire-error.ts';

export interface ConnectOptions {
  /** For example `http://127.0.0.1:7860`. */
  readonly url: string;
  readonly token: string;
  readonly client: Peer;
}

export interface Connection {
  /** What the server said of itself and of its models. */
  readonly welcome: Welcome;
  /** Sends a request and waits for its reply. Throws the EditError that the server replied with. */
  request<Type extends Request['type']>(request: RequestOf<Type> & { readonly type: Type }): Promise<ReplyTo<Type>>;
  /** Sends a message that has no reply. */
  send(message: Notice): void;
  sendChunk(chunk: Uint8Array): void;
  /** Calls `listener` for every message that is no reply, until the returned function is called. */
  onEvent(listener: (event: ServerMessage) => void): () => void;
  onChunk(listener: (chunk: Chunk) => void): () => void;
  /** `promise`, unless `signal` is aborted (CanceledError) or the connection ends ('connection-lost') first. */
  wait<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

/** Connects and says hello. Throws EditError: 'connection-lost', 'not-paired' or 'version-mismatch'. */
export async function connect({ url, token, client }: ConnectOptions): Promise<Connection> {
  const address = new URL(socketPath, url.replace(/^http/, 'ws'));
  const socket = new WebSocket(address, subprotocol, {
    perMessageDeflate: false,
    ...(thisMachine.includes(address.hostname) ? { generateMask: keepZero } : {}),
    // One message per turn of the event loop, as in a browser: a listener that is added when a reply
    // arrives does not miss the message behind it.
    allowSynchronousEvents: false,
  });
  try {
    await once(socket, 'open');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EditError('connection-lost', `No companion server answers at ${url}: ${reason}.`, {
      hint: 'Start it with npm start, or leave out --server.',
      cause: error,
    });
  }
  const link = createLink(socket);
  const hello = { type: 'hello', protocol: protocolVersion, client, token } as const;
  try {
    return { ...link, welcome: await link.request(hello) };
  } catch (error) {
    await link.close();
    throw error;
  }
}

const thisMachine = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * A mask of zeros leaves the bytes as they are. Masks keep proxies between client and server from taking what a web page
 * sends for HTTP (RFC 6455, section 10.3): within one machine there is none, and computing them costs more than all else
 * about an upload. Other machines get random masks, as the RFC asks.
 */
function keepZero(mask: Buffer): void {
  mask.fill(0);
}

function createLink(socket: WebSocket): Omit<Connection, 'welcome'> {
  const replies = new Map<number, (message: ServerMessage) => void>();
  const eventListeners = new Set<(event: ServerMessage) => void>();
  const chunkListeners = new Set<(chunk: Chunk) => void>();
  let requests = 0;

  const lost = new Promise<never>((_resolve, reject) => {
    let cause: unknown;
    socket.on('error', (error) => (cause = error));
    socket.once('close', (code, reason) => {
      const why = reason.length === 0 ? `code ${code}` : `code ${code}, ${reason.toString()}`;
      reject(
        new EditError('connection-lost', `The companion server ended the connection (${why}).`, {
          hint: 'Look into its log, then try again.',
          cause,
        }),
      );
    });
  });
  lost.catch(() => undefined);

  socket.on('message', (data: RawData, isBinary) => {
    const bytes = data as Buffer;
    try {
      if (isBinary) tell(chunkListeners, parseChunk(bytes));
      else receive(parseServerMessage(bytes.toString('utf8')));
    } catch (error) {
      socket.emit('error', error instanceof Error ? error : new Error(String(error)));
      socket.terminate();
    }
  });

  function receive(message: ServerMessage): void {
    const requestId = 'requestId' in message ? message.requestId : null;
    const reply = requestId === null ? undefined : replies.get(requestId);
    if (reply === undefined) tell(eventListeners, message);
    else reply(message);
  }

  async function wait<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal === undefined) return Promise.race([promise, lost]);
    let cancel: () => void = () => undefined;
    const canceled = new Promise<never>((_resolve, reject) => {
      cancel = () => reject(new CanceledError());
      if (signal.aborted) cancel();
    });
    signal.addEventListener('abort', cancel);
    try {
      return await Promise.race([canceled, promise, lost]);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  const send = (message: ClientMessage): void => socket.send(JSON.stringify(message), () => undefined);

  async function request(message: Omit<Request, 'requestId'>): Promise<ServerMessage> {
    const requestId = ++requests;
    const reply = new Promise<ServerMessage>((resolve) => replies.set(requestId, resolve));
    send({ ...message, requestId } as Request);
    try {
      const answer = await wait(reply);
      if (answer.type === 'error') throw fromWireError(answer.error);
      return answer;
    } finally {
      replies.delete(requestId);
    }
  }

  return {
    wait,
    send,
    sendChunk: (chunk) => socket.send(chunk, () => undefined),
    onEvent: (listener) => listen(eventListeners, listener),
    onChunk: (listener) => listen(chunkListeners, listener),
    request: request as Connection['request'],
    async close() {
      socket.close();
      await lost.catch(() => undefined);
    },
  };
}

function tell<T>(listeners: ReadonlySet<(value: T) => void>, value: T): void {
  for (const listener of listeners) listener(value);
}

function listen<T>(listeners: Set<(value: T) => void>, listener: (value: T) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
