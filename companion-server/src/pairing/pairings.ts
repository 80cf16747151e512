// Who may use this server. A client gets a token of its own for a code that a person reads where the server shows it, for
// the key of a link that opens the panel, or for the key in a file that only this user can read. The server keeps only
// hashes of the tokens: a copy of its database gives no access.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { EditError } from '../errors.ts';
import type { Log } from '../app/log.ts';
import type { Database } from '../store/database.ts';
import { createAttempts, type AttemptsOptions } from './attempts.ts';
import { createCode, isSameCode, type OpenCode } from './code.ts';
import { createLinkKeys, type LinkKey } from './link-keys.ts';
import { toPairing, type Pairing } from './tables.ts';
import { typed } from '../typed-command.ts';

/** A pairing, as the rest of the server sees it: jobs, clips and uploads belong to its id. */
export interface Client {
  /** 32 hexadecimal digits. */
  readonly clientId: string;
  readonly name: string;
}

/** The command line of the user who runs the server; its token is made at every start. */
export const localClient: Client = {
  clientId: '10ca1000000000000000000000000000',
  name: 'command line',
};

/** A client with the token that the server was started with for other machines. */
export const remoteClient: Client = {
  clientId: '4e307e00000000000000000000000000',
  name: 'other machine',
};

export interface PairingsOptions {
  /** The token of `localClient`. */
  readonly localToken: string;
  /** The token of `remoteClient`. Default: there is no such client. */
  readonly remoteToken?: string | undefined;
  /** What pairs this user's panels without a code, as often as they like: 64 hexadecimal digits. Default: nothing does. */
  readonly panelKey?: string | undefined;
  /** Called with each client that pairs or fails to. */
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Default: the clock. */
  readonly now?: () => Date;
  /** How time passes between attempts. Default: as it does. */
  readonly attempts?: AttemptsOptions;
}

export interface Pairings {
  /** Makes a new code; the one before is void. */
  openCode(): OpenCode;
  /** The code that can be exchanged now, or null when it was used or has expired. */
  currentCode(): OpenCode | null;
  /** Makes a key for a link that opens the panel, paired. It is good once, and for some minutes. */
  openLink(): LinkKey;
  /**
   * Trades the code, or a key, for a token of 256 random bits (64 hexadecimal digits), which is not kept and cannot be
   * shown again. `peer` is the address that asks. After some wrong codes attempts take turns, so that it may take
   * seconds. Throws EditError 'pairing-refused' when the code is not the open one, 'link-void' when the key is not good, 'pairing-limited'
   * when too many attempts wait.
   */
  exchange(code: string, name: string, peer: string): Promise<{ readonly client: Client; readonly token: string }>;
  /** Whose token it is, or null. How long it takes says nothing about how much of the token was right. */
  authenticate(token: string): Client | null;
  /** Whether the client is paired still, or has a token from the start. */
  isPaired(clientId: string): boolean;
  /** Remembers that a client has said hello, and as which version. Never throws: it is for the list only. */
  noteSeen(clientId: string, version: string): void;
  /** The newest first, without the command line. */
  list(): readonly Pairing[];
  /** Everybody whose jobs there may be: the fixed clients, and all that are or were paired. */
  owners(): readonly Client[];
  /** Makes the client's token void. Returns false when there is no such pairing. */
  revoke(clientId: string): boolean;
  /** Calls `listener` with the id of every client that is revoked, until the returned function is called. */
  onRevoked(listener: (clientId: string) => void): () => void;
}

/** `database` has the tables of `pairingTables`. */
export function createPairings(
  database: Database,
  { localToken, remoteToken, panelKey, log, now = () => new Date(), attempts: times }: PairingsOptions,
): Pairings {
  const attempts = createAttempts(times);
  const revocationListeners = new Set<(clientId: string) => void>();
  const fixedClients = [
    { client: localClient, hash: hashOf(localToken) },
    ...(remoteToken === undefined ? [] : [{ client: remoteClient, hash: hashOf(remoteToken) }]),
  ];
  const links = createLinkKeys(now);
  let open: OpenCode | null = null;

  function currentCode(): OpenCode | null {
    return open !== null && now() < open.expiresAt ? open : null;
  }

  function admit(name: string): { readonly client: Client; readonly token: string } {
    const token = randomBytes(32).toString('hex');
    const client = { clientId: randomBytes(16).toString('hex'), name: toLine(name) };
    database.run(
      'INSERT INTO pairings (client_id, name, token_hash, created_at) VALUES (?, ?, ?, ?)',
      client.clientId,
      client.name,
      hashOf(token),
      now().toISOString(),
    );
    return { client, token };
  }

  function exchangeKey(key: string, name: string, peer: string): ReturnType<typeof admit> {
    const isPanelKey = panelKey !== undefined && timingSafeEqual(hashOf(key), hashOf(panelKey));
    if (!isPanelKey && !links.use(key)) {
      log.warn('A pairing key was void.', { peer });
      throw new EditError('link-void', 'The link that opened the panel was used already, or has expired.', {
        hint: `Get a new one with ${typed('panel-link')}, or type the code of ${typed('pair')}.`,
      });
    }
    const admitted = admit(name);
    log.info('A client was paired by a key.', { ...admitted.client, peer });
    return admitted;
  }

  return {
    openCode: () => (open = createCode(now())),
    openLink: () => links.open(),
    currentCode,
    async exchange(code, name, peer) {
      // A key cannot be guessed: it waits for nobody.
      if (isKey(code)) return exchangeKey(code, name, peer);
      if (!(await attempts.takeTurn())) throw tooManyAttempts();
      const current = currentCode();
      if (current === null || !isSameCode(code, current.code)) {
        attempts.recordFailure();
        log.warn('A pairing code was wrong.', { peer });
        throw wrongCode(current === null);
      }
      const admitted = admit(name);
      open = null;
      log.info('A client was paired.', { ...admitted.client, peer });
      return admitted;
    },
    authenticate(token) {
      const hash = hashOf(token);
      const fixed = fixedClients.find((one) => timingSafeEqual(hash, one.hash));
      if (fixed !== undefined) return fixed.client;
      // The search in the index is by hash: its timing reveals only facts about the hash, and no token follows from them.
      const row = database.get('SELECT * FROM pairings WHERE token_hash = ? AND ended_at IS NULL', hash);
      if (row === undefined) return null;
      const { clientId, name } = toPairing(row);
      return { clientId, name };
    },
    isPaired: (clientId) =>
      fixedClients.some(({ client }) => client.clientId === clientId) ||
      database.get('SELECT 1 FROM pairings WHERE client_id = ? AND ended_at IS NULL', clientId) !== undefined,
    noteSeen(clientId, version) {
      try {
        const sql = 'UPDATE pairings SET seen_at = ?, version = ? WHERE client_id = ?';
        database.run(sql, now().toISOString(), toLine(version), clientId);
      } catch (error) {
        log.warn('When a client was seen could not be written.', {
          clientId,
          error: String(error),
        });
      }
    },
    list: () =>
      database.all('SELECT * FROM pairings WHERE ended_at IS NULL ORDER BY created_at DESC, client_id').map(toPairing),
    owners: () => [
      ...fixedClients.map(({ client }) => client),
      ...database.all('SELECT * FROM pairings').map(toPairing),
    ],
    revoke(clientId) {
      const end = 'UPDATE pairings SET ended_at = ? WHERE client_id = ? AND ended_at IS NULL';
      const isRevoked = database.urgently(() => database.run(end, now().toISOString(), clientId)) > 0;
      if (isRevoked) log.info('A pairing was revoked.', { clientId });
      if (isRevoked) for (const listener of revocationListeners) listener(clientId);
      return isRevoked;
    },
    onRevoked(listener) {
      revocationListeners.add(listener);
      return () => void revocationListeners.delete(listener);
    },
  };
}

/** What no person types. */
function isKey(code: string): boolean {
  return /^[0-9a-f]{64}$/.test(code);
}

/** A token is 256 random bits and cannot be guessed, so a slow hash would not be safer than a plain one. */
function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** A client's own words go to a terminal one day: no control characters, one line, not long. */
function toLine(text: string): string {
  return text.replaceAll(/\p{C}|\p{Zl}|\p{Zp}/gu, ' ').slice(0, 100);
}

function tooManyAttempts(): EditError {
  return new EditError('pairing-limited', 'Too many pairing codes are being tried at once.', {
    hint: 'Try again in some seconds.',
  });
}

function wrongCode(isNoneOpen: boolean): EditError {
  return isNoneOpen
    ? new EditError('pairing-refused', 'The server has no open pairing code: it was used or has expired.', {
        hint: `Make a new one with ${typed('pair')}, or on the page of the server.`,
      })
    : new EditError('pairing-refused', 'The pairing code is not the one that the server shows.', {
        hint: 'Read it again where the server runs, or on its page.',
      });
}
