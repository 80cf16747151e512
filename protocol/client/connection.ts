// One connection from its opening to its end: requests that wait for their reply, events, and chunks by their stream.
// It is never opened again; session.ts makes the next one.

import { parseChunk, type Chunk } from '../messages/chunk.ts';
import { EditError } from '../errors.ts';
import type { Notice, ReplyTo, Request, RequestOf } from '../messages/replies.ts';
import { parseServerMessage, type ServerMessage } from '../messages/server-messages.ts';
import { socketPath } from '../version.ts';
import { fromWireError } from '../messages/wire-error.ts';
import type { Clock } from './clock.ts';
import type { OpenSocket } from './socket.ts';

export interface Connection {
  /** Resolves when the socket is open; rejected with EditError 'connection-lost' when it never was. */
  readonly opened: Promise<void>;
  /** Resolves with EditError 'connection-lost', which says why, when the connection is over, however it ended. */
  readonly ended: Promise<EditError>;
  /** Resolves when the socket is closed: after `ended` where this end closes it. */
  readonly closed: Promise<void>;
  readonly isOver: boolean;
  /** Sends a request and waits for its reply. Rejected with EditError; 'connection-lost' when the end comes first. */
  request<Type extends Request['type']>(request: RequestOf<Type> & { readonly type: Type }): Promise<ReplyTo<Type>>;
  note(message: Notice): void;
  sendChunk(bytes: Uint8Array): void;
  /** Events of the server that belong to no stream. */
  onEvent(listener: (event: ServerMessage) => void): () => void;
  /**
   * Events, chunks and the end of one stream. What has arrived between the reply that names the stream and this call is
   * passed on at once.
   */
  onStream(streamId: number, listener: StreamListener): () => void;
  /** Time of the last sign of life, as the clock gives it. */
  readonly heardAt: number;
  /** Ends it from this side; `reason` is the end of a sentence. */
  close(reason: string): void;
}

export interface StreamListener {
  onAck?(receivedBytes: number): void;
  onChunk?(chunk: Chunk): void;
  onFailed(error: EditError): void;
}

/** What the user can do about a lost connection, as hints of the errors; the panel has sentences of its own. */
export interface Advice {
  /** No server answers. */
  readonly unreachable: string;
  /** The server has ended the connection. */
  readonly lost: string;
}

export interface ConnectionOptions {
  /** Address of the server, for example `http://127.0.0.1:47860`. */
  readonly server: string;
  readonly openSocket: OpenSocket;
  readonly clock: Clock;
  readonly advice?: Advice | undefined;
}

type StreamEvent = (listener: StreamListener) => void;
type Waiting = { readonly settle: (answer: ServerMessage) => void; readonly fail: (error: EditError) => void };

/** Events of streams without a listener so far; at most a window of chunks arrives without acknowledgement. */
const maxEarlyEvents = 64;

export function openConnection({ server, openSocket, clock, advice }: ConnectionOptions): Connection {
  const waiting = new Map<number, Waiting>();
  const eventListeners = new Set<(event: ServerMessage) => void>();
  const streams = new Map<number, StreamListener>();
  const early = new Map<number, StreamEvent[]>();
  let requests = 0;
  let isOpen = false;
  let over: EditError | null = null;
  let heardAt = clock.now();
  let settleOpened: () => void = () => undefined;
  let failOpened: (error: EditError) => void = () => undefined;
  let settleEnded: (error: EditError) => void = () => undefined;
  let settleClosed: () => void = () => undefined;
  const opened = new Promise<void>((resolve, reject) => {
    settleOpened = resolve;
    failOpened = reject;
  });
  opened.catch(() => undefined);
  const ended = new Promise<EditError>((resolve) => (settleEnded = resolve));
  const closed = new Promise<void>((resolve) => (settleClosed = resolve));

  function end(message: string, hint?: string): void {
    if (over !== null) return;
    over = new EditError('connection-lost', message, { hint });
    failOpened(over);
    for (const { fail } of waiting.values()) fail(over);
    waiting.clear();
    for (const listener of [...streams.values()]) listener.onFailed(over);
    streams.clear();
    settleEnded(over);
  }

  function endFromAfar(code: number, reason: string): void {
    if (isOpen) {
      const why = reason === '' ? `code ${code}` : `code ${code}, ${reason}`;
      end(`The companion server ended the connection (${why}).`, advice?.lost);
    } else {
      const why = reason === '' ? `code ${code}` : reason;
      end(`No companion server answers at ${server}: ${why}.`, advice?.unreachable);
    }
    settleClosed();
  }

  function close(reason: string): void {
    socket.close();
    end(`The connection to the companion server at ${server} ended: ${reason}.`, advice?.lost);
  }

  function tellStream(streamId: number, event: StreamEvent): void {
    const listener = streams.get(streamId);
    if (listener !== undefined) {
      event(listener);
      return;
    }
    const events = early.get(streamId) ?? [];
    if (events.length < maxEarlyEvents) early.set(streamId, [...events, event]);
  }

  function receive(message: ServerMessage): void {
    if (message.type === 'upload-ack') {
      tellStream(message.streamId, (stream) => stream.onAck?.(message.receivedBytes));
      return;
    }
    if (message.type === 'stream-failed') {
      tellStream(message.streamId, (stream) => stream.onFailed(fromWireError(message.error)));
      return;
    }
    const requestId = 'requestId' in message ? message.requestId : null;
    const request = requestId === null ? undefined : waiting.get(requestId);
    if (request !== undefined && requestId !== null) {
      waiting.delete(requestId);
      if (message.type === 'error') request.fail(fromWireError(message.error));
      else request.settle(message);
      return;
    }
    for (const listener of [...eventListeners]) listener(message);
  }

  /** A message that cannot be read ends the connection: incomplete state is worse than none. */
  function hear(read: () => void): void {
    heardAt = clock.now();
    if (over !== null) return;
    try {
      read();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      close(`it said something that this program cannot read (${reason})`);
    }
  }

  const socket = openSocket(`${server.replace(/\/$/, '').replace(/^http/, 'ws')}${socketPath}`, {
    onOpen() {
      isOpen = true;
      settleOpened();
    },
    onText: (text) => hear(() => receive(parseServerMessage(text))),
    onBytes: (bytes) =>
      hear(() => {
        const chunk = parseChunk(bytes);
        tellStream(chunk.streamId, (stream) => stream.onChunk?.(chunk));
      }),
    onClose: endFromAfar,
  });

  return {
    opened,
    ended,
    closed,
    get isOver() {
      return over !== null;
    },
    get heardAt() {
      return heardAt;
    },
    request<Type extends Request['type']>(request: RequestOf<Type>): Promise<ReplyTo<Type>> {
      if (over !== null) return Promise.reject(over);
      const requestId = ++requests;
      return new Promise((resolve, reject) => {
        waiting.set(requestId, { settle: (answer) => resolve(answer as ReplyTo<Type>), fail: reject });
        socket.send(JSON.stringify({ ...request, requestId }));
      });
    },
    note: (message) => socket.send(JSON.stringify(message)),
    sendChunk: (bytes) => socket.send(bytes),
    onEvent(listener) {
      eventListeners.add(listener);
      return () => void eventListeners.delete(listener);
    },
    onStream(streamId, listener) {
      if (over !== null) {
        listener.onFailed(over);
        return () => undefined;
      }
      streams.set(streamId, listener);
      const events = early.get(streamId) ?? [];
      early.delete(streamId);
      for (const event of events) event(listener);
      return () => {
        if (streams.get(streamId) === listener) streams.delete(streamId);
      };
    },
    close,
  };
}

/** Whether a started transfer continues over another connection. */
export function isLost(error: unknown): boolean {
  return error instanceof EditError && error.code === 'connection-lost';
}
