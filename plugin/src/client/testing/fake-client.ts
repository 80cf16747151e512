// A client of a fake server, on a fake clock.

import { createClient, type Client } from '../client.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { createFakeServer, token, type FakeServer, type FakeServerOptions } from './fake-server.ts';

export interface Scene {
  readonly server: FakeServer;
  readonly clock: FakeClock;
  readonly client: Client;
  /** What the client keeps of its pairing. */
  readonly kept: { token: string | null };
  /** The value of a promise, with the clock going on as long as it takes. */
  readonly outcome: <T>(promise: Promise<T>) => Promise<T>;
}

export function createScene(options: FakeServerOptions & { readonly isPaired?: boolean } = {}): Scene {
  const server = createFakeServer(options);
  const clock = createFakeClock();
  const kept = { token: options.isPaired === false ? null : token };
  const client = createClient({
    url: 'ws://127.0.0.1:7860/socket',
    client: { name: 'test', version: '0' },
    tokens: {
      read: () => Promise.resolve(kept.token),
      write(next) {
        kept.token = next;
        return Promise.resolve();
      },
    },
    openSocket: server.openSocket,
    clock,
    random: () => 1,
  });
  return {
    server,
    clock,
    client,
    kept,
    async outcome(promise) {
      let isDone = false;
      const mark = (): void => {
        isDone = true;
      };
      promise.then(mark, mark);
      await clock.runUntil(() => isDone);
      return promise;
    },
  };
}
