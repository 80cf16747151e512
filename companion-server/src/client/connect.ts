// The client of the socket for one command.

import { createClient, type Client } from '../../../protocol/client/client.ts';
import { commandTiming } from '../../../protocol/client/timing.ts';
import type { Peer } from '../../../protocol/messages/session-messages.ts';
import { nodePlatform } from './node-platform.ts';
import { typed } from '../typed-command.ts';

export interface ConnectOptions {
  /** For example `http://127.0.0.1:47860`. */
  readonly url: string;
  /** Called before every connection: a restarted server may have a new one. */
  readonly token: () => string | Promise<string>;
  readonly client: Peer;
  /** How long a lost server is looked for, in milliseconds; 0: not at all. */
  readonly patienceMs: number;
}

/**
 * Connects and says hello; the first attempt is the only one. Throws EditError: 'connection-lost', 'not-paired' or
 * 'version-mismatch'. End the client with `stop`.
 */
export async function connect({ url, token, client: peer, patienceMs }: ConnectOptions): Promise<Client> {
  const client = createClient({
    server: url,
    client: peer,
    tokens: { read: async () => token() },
    platform: nodePlatform,
    timing: commandTiming(patienceMs),
    advice: {
      unreachable: `Start it with ${typed('start')}, or leave out --server.`,
      lost: 'Look into its log, then try again.',
    },
  });
  client.start();
  await client.online();
  return client;
}
