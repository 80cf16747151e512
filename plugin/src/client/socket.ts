// The little of a WebSocket that is used, which UXP, browsers and Node have alike. A socket is used for one connection:
// UXP on Windows has been seen to refuse a second.

import { subprotocol } from '../../../protocol/version.ts';

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
  /** Bytes that have not left yet. */
  readonly bufferedBytes: number;
}

export type OpenSocket = (url: string, events: SocketEvents) => Socket;

export const openGlobalSocket: OpenSocket = (url, events) => {
  const socket = new WebSocket(url, [subprotocol]);
  socket.binaryType = 'arraybuffer';
  let isOver = false;
  const end = (code: number, reason: string): void => {
    if (isOver) return;
    isOver = true;
    events.onClose(code, reason);
  };
  socket.onopen = () => events.onOpen();
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (isOver) return;
    if (typeof data === 'string') events.onText(data);
    else if (data instanceof ArrayBuffer) events.onBytes(new Uint8Array(data));
  };
  // UXP may report an error without the close that a browser sends after it.
  socket.onerror = () => {
    if (socket.readyState === socketClosed || socket.readyState === socketConnecting) end(1006, '');
  };
  socket.onclose = ({ code, reason }) => end(code, reason);
  return {
    send(data) {
      if (socket.readyState === socketOpen) socket.send(data);
    },
    close() {
      socket.close();
      end(1000, '');
    },
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
  };
};

const socketConnecting = 0;
const socketOpen = 1;
const socketClosed = 3;
