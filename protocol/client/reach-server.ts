// The way to an open connection: at the address that is known, or by looking for the server; with the token or key that may
// be used there.

import { openConnection, type Connection } from './connection.ts';
import { findServer, type ServerSearch } from './find-server.ts';
import type { ServerNote } from '../identity.ts';
import type { SessionOptions } from './session-options.ts';
import { expectAnswer } from './signs-of-life.ts';

/** A server that was reached, and what opens it. */
export interface Reached {
  /** Null when the session was stopped on the way. */
  readonly opened: Connection | null;
  /** Whether the server is known to be the one of this user. */
  readonly isOwnServer: boolean;
  readonly token: string | null;
  /** Pairs without a code. */
  readonly key: string | null;
}

export interface ReachHooks {
  readonly isStopped: () => boolean;
  /** Called with a connection before it is known whether it opens. */
  readonly onOpening: (connection: Connection) => void;
}

export interface Reach {
  /** Whether nobody knows where the server is before it was found. */
  readonly isLookedFor: boolean;
  /** Of the server that was reached last; where it is looked for, null before the first. */
  readonly address: string | null;
  /** An open connection to the server, with what may be said there. Rejected with EditError 'connection-lost'. */
  reach(): Promise<Reached>;
  /** A connection to say something of one's own; it may not be open yet. */
  open(): Promise<Connection>;
  /** Ends a search that runs. */
  cancel(): void;
}

type ReachOptions = Pick<SessionOptions, 'server' | 'takeKey' | 'tokens' | 'platform' | 'timing' | 'advice'>;

export function createReach(options: ReachOptions, { isStopped, onOpening }: ReachHooks): Reach {
  const { server: place, takeKey, tokens, timing, advice } = options;
  const { openSocket, clock, createSha256 } = options.platform;
  let address = typeof place === 'string' ? place : null;
  let cancel: () => void = () => undefined;

  const openAt = (server: string): Connection => openConnection({ server, openSocket, clock, advice });

  async function find(
    search: ServerSearch,
  ): Promise<{ readonly opened: Connection; readonly note: ServerNote | null }> {
    const running = findServer({ search, open: openAt, clock, createSha256, timing, advice: advice?.unreachable });
    cancel = () => running.cancel();
    const { connection: opened, note, address: found } = await running.found;
    address = found;
    return { opened, note };
  }

  return {
    isLookedFor: typeof place !== 'string',
    get address() {
      return address;
    },
    async reach() {
      if (typeof place !== 'string') {
        const { opened, note } = await find(place);
        const isOwnServer = note !== null;
        return { opened, isOwnServer, token: await tokens.read(isOwnServer), key: note?.panelKey ?? null };
      }
      const token = await tokens.read(true);
      if (isStopped()) return { opened: null, isOwnServer: true, token, key: null };
      const opened = openAt(place);
      onOpening(opened);
      await expectAnswer(opened, opened.opened, { clock, limitMs: timing.greetingMs });
      return { opened, isOwnServer: true, token, key: token === null ? (takeKey?.() ?? null) : null };
    },
    open: async () => (typeof place === 'string' ? openAt(place) : (await find(place)).opened),
    cancel: () => cancel(),
  };
}
