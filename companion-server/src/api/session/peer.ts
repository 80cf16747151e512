// The other end of a connection, as the session sees it: no sockets here.

import type { ServerMessage } from '../../../../protocol/messages/server-messages.ts';
import type { Client } from '../../pairing/pairings.ts';

export interface Peer {
  /** The address that the connection comes from. */
  readonly address: string;
  /** The port of this server at which it has connected. */
  readonly port: number;
  /** The other end has shown a token of this client. Call at every hello that is accepted, before the welcome. */
  admit(client: Client): void;
  send(message: ServerMessage): void;
  /** Resolves when the chunk has left the process, or the connection has ended. */
  sendChunk(chunk: Uint8Array): Promise<void>;
  /** Bytes that wait in this process to be sent. */
  waitingBytes(): number;
  /** Ends the connection after what has been sent. `reason` has at most 120 bytes. */
  close(reason: string): void;
}
