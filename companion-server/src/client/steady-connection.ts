// A connection that comes back: what was begun goes on over a new socket when one is lost.

import { setTimeout as pause } from 'node:timers/promises';
import type { Peer, Welcome } from '../../../protocol/session-messages.ts';
import { EditError, throwIfCanceled } from '../errors.ts';
import { connect, type Connection } from './connection.ts';

export interface SteadyOptions {
  /** For example `http://127.0.0.1:7860`. */
  readonly url: string;
  /** Asked before every connection: a server that starts anew may have a new one. */
  readonly token: () => string | Promise<string>;
  readonly client: Peer;
  /** How long a lost server is looked for, in milliseconds; 0: not at all. */
  readonly patienceMs: number;
}

export interface Attempt {
  readonly connection: Connection;
  /** Tells that something was achieved, so that the next loss is the first again. */
  readonly progressed: () => void;
}

export interface SteadyConnection {
  /** Of the newest connection. */
  readonly welcome: Welcome;
  /**
   * Runs `work` on the connection; when the connection is lost under it, again on the next one, so `work` must find out by
   * itself how far it got. Throws what `work` throws, CanceledError, and 'connection-lost' when the server stays away.
   */
  run<T>(work: (attempt: Attempt) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** For requests that may be carried out twice without harm: they are sent again on a new connection. */
  readonly request: Connection['request'];
  close(): Promise<void>;
}

const longestPauseMs = 5_000;
/** Losses in a row, without any progress between them, after which a piece of work is given up. */
const maxLosses = 20;

/** Connects; the first attempt is the only one. Throws EditError as `connect` does. */
export async function connectSteadily({ url, token, client, patienceMs }: SteadyOptions): Promise<SteadyConnection> {
  const open = async (): Promise<Connection> => connect({ url, token: await token(), client });
  const closer = new AbortController();
  let connection = await open();
  let reconnecting: Promise<void> | undefined;

  async function reconnect(losses: number): Promise<void> {
    const lostAt = performance.now();
    for (let tries = losses; ; tries++) {
      if (tries > 0) await pause(pauseMs(tries), undefined, { signal: closer.signal });
      try {
        connection = await open();
        return;
      } catch (error) {
        if (!isAway(error) || performance.now() - lostAt >= patienceMs) throw error;
      }
    }
  }

  /** Those who lose the connection together wait for the same new one. */
  async function replace(lost: Connection, losses: number): Promise<void> {
    if (connection !== lost) return;
    reconnecting ??= reconnect(losses).finally(() => (reconnecting = undefined));
    await reconnecting;
  }

  async function run<T>(work: (attempt: Attempt) => Promise<T>, signal?: AbortSignal): Promise<T> {
    let losses = 0;
    for (;;) {
      const used = connection;
      try {
        return await work({ connection: used, progressed: () => (losses = 0) });
      } catch (error) {
        if (!isLost(error) || closer.signal.aborted || patienceMs === 0) throw error;
        if (losses >= maxLosses) throw error;
        throwIfCanceled(signal);
        await replace(used, losses);
        losses++;
      }
    }
  }

  return {
    get welcome() {
      return connection.welcome;
    },
    run,
    request: (request) => run(({ connection: used }) => used.request(request)),
    async close() {
      closer.abort();
      await connection.close();
    },
  };
}

function pauseMs(tries: number): number {
  return Math.min(longestPauseMs, 50 * 2 ** tries);
}

function isLost(error: unknown): boolean {
  return error instanceof EditError && error.code === 'connection-lost';
}

/** A server that has just started may listen before its new token can be read. */
function isAway(error: unknown): boolean {
  return isLost(error) || (error instanceof EditError && error.code === 'not-paired');
}
