// What UXP and browsers give the client of the socket.

import type { Clock } from '../../../protocol/client/clock.ts';
import type { Platform } from '../../../protocol/client/platform.ts';
import { adaptWebSocket, type OpenSocket } from '../../../protocol/client/socket.ts';
import { subprotocol } from '../../../protocol/version.ts';
import { createSha256 } from './sha256.ts';

/** UXP has setTimeout; nothing here relies on less than a second. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Over the global WebSocket. */
const openSocket: OpenSocket = (url, events) => {
  const webSocket = new WebSocket(url, [subprotocol]);
  webSocket.binaryType = 'arraybuffer';
  const { socket, listener } = adaptWebSocket(webSocket, events);
  webSocket.onopen = () => listener.onOpen();
  webSocket.onmessage = ({ data }: MessageEvent<unknown>) => listener.onMessage(data);
  webSocket.onerror = () => listener.onError('');
  webSocket.onclose = ({ code, reason }) => listener.onClose(code, reason);
  return socket;
};

/** 64 hexadecimal digits, of which 244 bits are random: UXP has randomUUID and not surely more. */
export function createNonce(): string {
  return `${crypto.randomUUID()}${crypto.randomUUID()}`.replaceAll('-', '');
}

export const webPlatform: Platform = {
  openSocket,
  clock: systemClock,
  createSha256,
  random: Math.random,
  // UXP closes a socket whose buffer overflows, and does not say where that is.
  windowBytes: 2 * 1024 * 1024,
};
