// The members of a WebSocket that are used; UXP, browsers and the package ws all have them. A socket is used for one
// connection: UXP on Windows has been seen to refuse a second.

export interface SocketEvents {
  onOpen(): void;
  onText(text: string): void;
  onBytes(bytes: Uint8Array): void;
  /** Once, after which nothing else is called. Also when it could not be opened. */
  onClose(code: number, reason: string): void;
}

export interface Socket {
  /** Does nothing on a socket that is not open. */
  send(data: string | Uint8Array): void;
  close(): void;
}

/** Opens a socket with the protocol's subprotocol. Events come later, never during the call. */
export type OpenSocket = (url: string, events: SocketEvents) => Socket;

/** What a WebSocket must have. */
export interface WebSocketLike {
  readonly readyState: number;
  send(data: string | Uint8Array): void;
  close(): void;
}

/** The events of a WebSocket. */
export interface WebSocketListener {
  onOpen(): void;
  /** A string, or bytes as ArrayBuffer or Uint8Array. */
  onMessage(data: unknown): void;
  /** `reason` is '' where none is known. */
  onError(reason: string): void;
  onClose(code: number, reason: string): void;
}

const socketConnecting = 0;
const socketOpen = 1;
const socketClosed = 3;

/** A WebSocket as the client uses it. The code that created the WebSocket passes its events on. */
export function adaptWebSocket(
  socket: WebSocketLike,
  events: SocketEvents,
): { readonly socket: Socket; readonly listener: WebSocketListener } {
  let isOver = false;
  let failure = '';
  const end = (code: number, reason: string): void => {
    if (isOver) return;
    isOver = true;
    events.onClose(code, reason === '' ? failure : reason);
  };
  return {
    socket: {
      send(data) {
        if (socket.readyState === socketOpen) socket.send(data);
      },
      close: () => socket.close(),
    },
    listener: {
      onOpen: () => events.onOpen(),
      onMessage(data) {
        if (isOver) return;
        if (typeof data === 'string') events.onText(data);
        else if (data instanceof ArrayBuffer) events.onBytes(new Uint8Array(data));
        else if (data instanceof Uint8Array) events.onBytes(data);
      },
      onError(reason) {
        failure = reason;
        // UXP may report an error without the close that a browser sends after it.
        if (socket.readyState === socketClosed || socket.readyState === socketConnecting) end(1006, '');
      },
      onClose: end,
    },
  };
}
