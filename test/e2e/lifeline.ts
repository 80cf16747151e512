// Tells when processes end: the fake engine and its child keep a connection to the test while they live.

import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Lifeline {
  /** For the environment of the processes. */
  readonly port: number;
  /** Connections that have been made so far. */
  made(): number;
  /** Resolves when every process that ever connected has ended. */
  ended(): Promise<void>;
}

export async function createLifeline(): Promise<Lifeline> {
  const closings: Promise<unknown>[] = [];
  const server = createServer((socket: Socket) => {
    // A killed process may reset its connection.
    socket.on('error', () => undefined);
    closings.push(once(socket.resume(), 'close'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return {
    port: (server.address() as AddressInfo).port,
    made: () => closings.length,
    async ended() {
      await Promise.all(closings);
    },
  };
}
