// One connection from its opening to its end: requests that wait for their reply, events, and chunks by their stream.
// It is never opened again; session.ts makes the next one.

import { parseChunk, type Chunk } from '../../../protocol/chunk.ts';
import type { Notice, ReplyTo, Request, RequestOf } from '../../../protocol/replies.ts';
import { parseServerMessage, type ServerMessage } from '../../../protocol/server-messages.ts';
import { ClientError, fromWire } from './problem.ts';
import type { OpenSocket } from './socket.ts';

export interface Connection {
  /** Resolves when the socket is open; rejected with ClientError 'connection-lost' when it never was. */
  readonly opened: Promise<void>;
  /** Resolves with the reason when the connection is over, however it ended. */
  readonly ended: Promise<string>;
  readonly isOver: boolean;
  /** Sends a request and waits for its reply. Rejected with ClientError; 'connection-lost' when the end comes first. */
  request<Type extends Request['type']>(request: RequestOf<Type>): Promise<ReplyTo<Type>>;
  note(message: Notice): void;
  sendChunk(bytes: Uint8Array): void;
  readonly bufferedBytes: number;
  /** Events of the server that belong to no stream. */
  onEvent(listener: (event: ServerMessage) => void): () => void;
  /**
   * Events, chunks and the end of one stream. What has come between the reply that names the stream and this call is
   * told at once.
   */
  onStream(streamId: number, listener: StreamListener): () => void;
  /** Time of the last sign of life, as `now` gives it. */
  readonly heardAt: number;
  close(reason: string): void;
}

export interface StreamListener {
  onAck?(receivedBytes: number): void;
  onChunk?(chunk: Chunk): void;
  onFailed(error: ClientError): void;
}

type StreamEvent = (listener: StreamListener) => void;
type Waiting = { readonly settle: (answer: ServerMessage) => void; readonly fail: (error: ClientError) => void };

/** Events of streams that nobody listens to yet; more than a window never comes unacknowledged. */
const maxEarlyEvents = 64;

export function openConnection(url: string, openSocket: OpenSocket, now: () => number): Connection {
  const waiting = new Map<number, Waiting>();
  const eventListeners = new Set<(event: ServerMessage) => void>();
  const streams = new Map<number, StreamListener>();
  const early = new Map<number, StreamEvent[]>();
  let requests = 0;
  let isOver = false;
  let heardAt = now();
  let settleOpened: () => void = () => undefined;
  let failOpened: (error: ClientError) => void = () => undefined;
  let settleEnded: (reason: string) => void = () => undefined;
  const opened = new Promise<void>((resolve, reject) => {
    settleOpened = resolve;
    failOpened = reject;
  });
  opened.catch(() => undefined);
  const ended = new Promise<string>((resolve) => (settleEnded = resolve));

  const lost = (reason: string): ClientError =>
    new ClientError('connection-lost', `The connection to the companion server ended: ${reason}.`);

  function end(reason: string): void {
    if (isOver) return;
    isOver = true;
    const error = lost(reason);
    failOpened(error);
    for (const { fail } of waiting.values()) fail(error);
    waiting.clear();
    for (const listener of [...streams.values()]) listener.onFailed(error);
    streams.clear();
    settleEnded(reason);
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
      tellStream(message.streamId, (stream) => stream.onFailed(fromWire(message.error)));
      return;
    }
    const requestId = 'requestId' in message ? message.requestId : null;
    const request = requestId === null ? undefined : waiting.get(requestId);
    if (request !== undefined && requestId !== null) {
      waiting.delete(requestId);
      if (message.type === 'error') request.fail(fromWire(message.error));
      else request.settle(message);
      return;
    }
    for (const listener of [...eventListeners]) listener(message);
  }

  /** A server that cannot be understood is not listened to any further: half-read state is worse than none. */
  function hear(read: () => void): void {
    heardAt = now();
    if (isOver) return;
    try {
      read();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      socket.close();
      end(`it said something that this panel cannot read (${reason})`);
    }
  }

  const socket = openSocket(url, {
    onOpen: () => settleOpened(),
    onText: (text) => hear(() => receive(parseServerMessage(text))),
    onBytes: (bytes) =>
      hear(() => {
        const chunk = parseChunk(bytes);
        tellStream(chunk.streamId, (stream) => stream.onChunk?.(chunk));
      }),
    onClose: (code, reason) => end(reason === '' ? `code ${code}` : `code ${code}, ${reason}`),
  });

  return {
    opened,
    ended,
    get isOver() {
      return isOver;
    },
    get heardAt() {
      return heardAt;
    },
    get bufferedBytes() {
      return socket.bufferedBytes;
    },
    request<Type extends Request['type']>(request: RequestOf<Type>): Promise<ReplyTo<Type>> {
      if (isOver) return Promise.reject(lost('it is over'));
      const requestId = ++requests;
      return new Promise((resolve, reject) => {
        waiting.set(requestId, {
          settle: (answer) => resolve(answer as ReplyTo<Type>),
          fail: reject,
        });
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
      if (isOver) {
        listener.onFailed(lost('it is over'));
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
    close(reason) {
      socket.close();
      end(reason);
    },
  };
}
