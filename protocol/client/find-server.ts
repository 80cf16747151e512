// Finds the companion server among the addresses where it may listen. Any program may listen there: one that speaks HTTP, one
// that takes connections in and says nothing, the server of another user. So each is asked who it is before it hears
// anything else. Addresses are tried in order; a slow one does not hold up the next (RFC 8305, section 5).

import { EditError } from '../errors.ts';
import { proofText, serverName, type ServerNote } from '../identity.ts';
import type { Clock } from './clock.ts';
import { isLost, type Connection } from './connection.ts';
import { hmacSha256 } from './hmac.ts';
import type { Platform } from './platform.ts';
import type { Timing } from './timing.ts';

/** Where a server may be. */
export interface ServerSearch {
  /** In the order in which they are tried, for example `http://127.0.0.1:47860`. */
  readonly addresses: readonly string[];
  /** What the running server of this user has left for its panels; null where nothing can be read. Never rejected. */
  readonly readNote: () => Promise<ServerNote | null>;
  /** 64 random hexadecimal digits. */
  readonly createNonce: () => string;
}

export interface FoundServer {
  /** Open. */
  readonly connection: Connection;
  readonly address: string;
  /** The note of this server, which has proved that it wrote it; null where there is no such note. */
  readonly note: ServerNote | null;
}

export interface FindOptions {
  readonly search: ServerSearch;
  readonly open: (address: string) => Connection;
  readonly clock: Clock;
  readonly createSha256: Platform['createSha256'];
  readonly timing: Pick<Timing, 'nextAddressMs' | 'identityMs'>;
  /** What the user can do when none answers. */
  readonly advice?: string | undefined;
}

export interface RunningSearch {
  /** Rejected with EditError 'connection-lost' when no companion server answers at any address. */
  readonly found: Promise<FoundServer>;
  /** Closes everything that it has opened. */
  cancel(): void;
}

interface Answer extends FoundServer {
  readonly rank: number;
}

export function findServer(options: FindOptions): RunningSearch {
  const { search, open, clock, createSha256, timing, advice } = options;
  const opened = new Set<Connection>();
  let isOver = false;
  let cancelNext: () => void = () => undefined;
  let refuse: (error: unknown) => void = () => undefined;

  function end(kept: Connection | null): void {
    isOver = true;
    cancelNext();
    for (const connection of opened) if (connection !== kept) connection.close('another server was found');
  }

  /** Null where the host refuses the address itself: UXP does for ports that the manifest does not name. */
  function tryOpen(address: string): Connection | null {
    try {
      return open(address);
    } catch {
      return null;
    }
  }

  /** Who answers at an address; null when it is no companion server. */
  async function ask(address: string, rank: number, note: ServerNote | null): Promise<Answer | null> {
    const connection = tryOpen(address);
    if (connection === null) return null;
    opened.add(connection);
    const cancel = clock.after(timing.identityMs, () => connection.close('it does not say who it is'));
    try {
      await connection.opened;
      const nonce = search.createNonce();
      const { name, proof } = await connection.request({ type: 'identify', nonce });
      if (name !== serverName) return null;
      const port = portOf(address);
      const isProven = note !== null && proof === hmacSha256(createSha256, note.panelKey, proofText(nonce, port));
      return { connection, address, rank, note: isProven ? note : null };
    } catch (error) {
      connection.close('it is no companion server');
      if (error instanceof EditError || isLost(error)) return null;
      throw error;
    } finally {
      cancel();
    }
  }

  async function run(settle: (found: FoundServer) => void): Promise<void> {
    const note = await search.readNote();
    const noted = note === null ? [] : [`http://127.0.0.1:${note.port}`];
    const addresses = [...new Set([...noted, ...search.addresses])];
    /** Companion servers that are not the one of the note. */
    const others: Answer[] = [];
    let asked = 0;
    let answered = 0;

    function hear(answer: Answer | null): void {
      answered += 1;
      if (isOver) return;
      if (answer !== null && (note === null || answer.note !== null)) {
        end(answer.connection);
        settle(answer);
        return;
      }
      if (answer !== null) others.push(answer);
      if (answered < addresses.length) {
        askNext();
        return;
      }
      const other = others.sort((a, b) => a.rank - b.rank).find(({ connection }) => !connection.isOver);
      end(other?.connection ?? null);
      if (other !== undefined) settle(other);
      else refuse(nobody(search.addresses, advice));
    }

    function askNext(): void {
      cancelNext();
      const rank = asked;
      const address = addresses[rank];
      if (address === undefined || isOver) return;
      asked += 1;
      cancelNext = clock.after(timing.nextAddressMs, askNext);
      ask(address, rank, note).then(hear, refuse);
    }
    askNext();
  }

  const found = new Promise<FoundServer>((resolve, reject) => {
    refuse = (error) => {
      end(null);
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    run(resolve).catch(refuse);
  });
  return {
    found,
    cancel() {
      if (!isOver) refuse(new EditError('connection-lost', 'The search for the companion server was ended.'));
    },
  };
}

/** UXP's `URL` is not complete. */
function portOf(address: string): number {
  return Number(/:(\d+)\/?$/.exec(address)?.[1] ?? 0);
}

function nobody(addresses: readonly string[], hint: string | undefined): EditError {
  return new EditError('connection-lost', `No companion server answers at ${addresses.join(', ')}.`, { hint });
}
