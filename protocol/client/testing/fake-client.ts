// A client of a fake server, on a fake clock.

import { createHash } from 'node:crypto';
import { createClient, type Client } from '../client.ts';
import type { ServerSearch } from '../find-server.ts';
import type { Platform } from '../platform.ts';
import { panelTiming, type Timing } from '../timing.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { createFakeServer } from './fake-server.ts';
import { token, type FakeServer, type FakeServerOptions } from './fake-state.ts';

export interface Scene {
  readonly server: FakeServer;
  readonly clock: FakeClock;
  readonly client: Client;
  /** What the client keeps of its pairing. */
  readonly kept: { token: string | null; isOwn: boolean };
  /** The value of a promise, with the clock going on as long as it takes. */
  readonly outcome: <T>(promise: Promise<T>) => Promise<T>;
}

export interface SceneOptions extends FakeServerOptions {
  readonly isPaired?: boolean;
  /** The token is made by the server: the client cannot change it. */
  readonly isReadOnly?: boolean;
  /** Where the client looks for the server. Default: at one address. */
  readonly search?: Pick<ServerSearch, 'addresses' | 'readNote'>;
  /** A key that pairs once. */
  readonly linkKey?: string;
  /** Default: that of a panel. */
  readonly timing?: Timing;
}

export function createScene(options: SceneOptions = {}): Scene {
  const server = createFakeServer(options);
  const clock = createFakeClock();
  const kept: Scene['kept'] = { token: options.isPaired === false ? null : token, isOwn: false };
  let nonces = 0;
  let linkKey = options.linkKey ?? null;
  const write = (next: string | null, isOwn: boolean): Promise<void> => {
    Object.assign(kept, { token: next, isOwn });
    return Promise.resolve();
  };
  const client = createClient({
    server:
      options.search === undefined
        ? 'http://127.0.0.1:47860'
        : { ...options.search, createNonce: () => (nonces += 1).toString(16).padStart(64, '0') },
    takeKey() {
      const taken = linkKey;
      linkKey = null;
      return taken;
    },
    client: { name: 'test', version: '0' },
    tokens: {
      read: (isOwn) => Promise.resolve(kept.isOwn && !isOwn ? null : kept.token),
      ...(options.isReadOnly === true ? {} : { write }),
    },
    platform: {
      openSocket: server.openSocket,
      clock,
      createSha256,
      random: () => 1,
      windowBytes: Number.POSITIVE_INFINITY,
    },
    timing: options.timing ?? panelTiming,
    advice: { unreachable: 'Start it.', lost: 'Look into its log.' },
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

const createSha256: Platform['createSha256'] = () => {
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
};
