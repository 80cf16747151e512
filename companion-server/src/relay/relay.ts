// Work that another machine does: what a client of this server asks for goes on to the server there, and its answers come
// back, message by message. Clips and results keep their windows and can be resumed, because the two ends are those that
// count bytes. Every client of this server is the same client there.

import { once } from 'node:events';
import { encodeChunk, type Chunk } from '../../../protocol/messages/chunk.ts';
import type { ClientMessage } from '../../../protocol/messages/client-messages.ts';
import { parseServerMessage, type ServerMessage } from '../../../protocol/messages/server-messages.ts';
import type { Peer, Welcome } from '../../../protocol/messages/session-messages.ts';
import { fromWireError } from '../../../protocol/messages/wire-error.ts';
import { protocolVersion, socketPath } from '../../../protocol/version.ts';
import { openPinnedWebSocket } from '../client/pinned-socket.ts';
import { EditError } from '../errors.ts';
import type { RemoteServer } from './remote-server.ts';
import { typed } from '../typed-command.ts';

/** The client of this server. */
export interface RelayedPeer {
  send(message: ServerMessage): void;
  sendChunk(chunk: Uint8Array): Promise<void>;
  /** Ends the connection. */
  close(reason: string): void;
  /** The other machine has given this client a link to a file of its own, a path with a query. */
  noteLink(url: string): void;
}

export interface Relay {
  /** What the other machine has: its device and models. */
  readonly welcome: Pick<Welcome, 'device' | 'models'>;
  handle(message: ClientMessage): Promise<void>;
  receive(chunk: Chunk): Promise<void>;
  close(): Promise<void>;
}

/**
 * Connects to the other machine for one client of this server. Throws EditError: 'connection-lost' when it does not answer
 * or has another certificate, 'not-paired' when it has ended the pairing, 'version-mismatch'.
 */
export async function openRelay(remote: RemoteServer, program: Peer, peer: RelayedPeer): Promise<Relay> {
  const { host } = new URL(remote.url);
  const url = `${remote.url.replace(/^http/, 'ws')}${socketPath}`;
  const socket = openPinnedWebSocket(url, remote.certificate);
  try {
    await once(socket, 'open');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EditError('connection-lost', `The machine ${host}, which does the computing, cannot be used: ${reason}`, {
      hint: `Start the server there, or compute here again with ${typed('disconnect')}.`,
      cause: error,
    });
  }
  const { device, models } = await greet(socket, remote.token, program);
  socket.on('message', (data, isBinary) => {
    const bytes = data as Buffer;
    if (isBinary) void peer.sendChunk(bytes);
    else passOn(bytes.toString('utf8'));
  });
  socket.on('error', () => undefined); // A close follows.
  socket.on('close', () => peer.close(`the machine ${host} is gone`.slice(0, 120)));

  function passOn(text: string): void {
    try {
      const message = parseServerMessage(text);
      if (message.type === 'playback') peer.noteLink(message.url);
      peer.send(message);
    } catch {
      socket.terminate(); // Half of a conversation is worse than none.
    }
  }

  return {
    welcome: { device, models },
    handle(message) {
      socket.send(JSON.stringify(message));
      return Promise.resolve();
    },
    receive: (chunk) =>
      new Promise((resolve) => {
        socket.send(encodeChunk(chunk), () => resolve());
      }),
    async close() {
      if (socket.readyState === socket.CLOSED) return;
      socket.close();
      await once(socket, 'close');
    },
  };
}

async function greet(socket: ReturnType<typeof openPinnedWebSocket>, token: string, client: Peer): Promise<Welcome> {
  socket.send(JSON.stringify({ type: 'hello', requestId: 0, protocol: protocolVersion, client, token }));
  const [data] = (await once(socket, 'message')) as [Buffer];
  const message = parseServerMessage(data.toString('utf8'));
  if (message.type === 'welcome') return message;
  socket.terminate();
  if (message.type !== 'error') throw new EditError('connection-lost', `The other machine said ${message.type}.`);
  const { code, message: reason } = fromWireError(message.error);
  // To the client of this server its own pairing is in order.
  const told = code === 'not-paired' ? 'connection-lost' : code;
  throw new EditError(told, `The other machine does not take this one: ${reason}`, {
    hint: `Connect again with ${typed('connect HOST')}.`,
  });
}
