// What Node gives the client of the socket.

import { createHash } from 'node:crypto';
import { WebSocket } from 'ws';
import type { Platform, Sha256 } from '../../../protocol/client/platform.ts';
import { adaptWebSocket, type OpenSocket, type Socket, type SocketEvents } from '../../../protocol/client/socket.ts';
import { windowBytes } from '../../../protocol/limits.ts';
import { subprotocol } from '../../../protocol/version.ts';

const thisMachine = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * A mask of zeros leaves the bytes as they are. Masks keep proxies between client and server from taking what a web page
 * sends for HTTP (RFC 6455, section 10.3): within one machine there is none, and computing them costs more than all else
 * about an upload. Other machines get random masks, as the RFC asks.
 */
function keepZero(mask: Buffer): void {
  mask.fill(0);
}

const openSocket: OpenSocket = (url, events) => {
  const webSocket = new WebSocket(url, subprotocol, {
    perMessageDeflate: false,
    ...(thisMachine.includes(new URL(url).hostname) ? { generateMask: keepZero } : {}),
    // One message per turn of the event loop, as in a browser: a listener that is added when a reply
    // arrives does not miss the message behind it.
    allowSynchronousEvents: false,
  });
  return adapt(webSocket, events);
};

/** A WebSocket of the package ws, as the client of the protocol uses it. */
export function adapt(webSocket: WebSocket, events: SocketEvents): Socket {
  const { socket, listener } = adaptWebSocket(webSocket, events);
  webSocket.on('open', () => listener.onOpen());
  webSocket.on('message', (data, isBinary) => {
    const bytes = data as Buffer;
    listener.onMessage(isBinary ? bytes : bytes.toString('utf8'));
  });
  webSocket.on('error', ({ message }) => listener.onError(message));
  webSocket.on('close', (code, reason) => listener.onClose(code, reason.toString('utf8')));
  return socket;
}

function createSha256(): Sha256 {
  const hash = createHash('sha256');
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    update(piece) {
      hash.update(piece);
      bytes += piece.length;
    },
    digest: () => hash.copy().digest('hex'),
  };
}

export const nodePlatform: Platform = {
  openSocket,
  clock: {
    now: () => Date.now(),
    after(delayMs, run) {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
  },
  createSha256,
  random: Math.random,
  windowBytes,
};
