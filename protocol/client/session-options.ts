// What a session is made of: where the server is, who asks, where its token is kept.

import type { Advice, Connection } from './connection.ts';
import type { ServerSearch } from './find-server.ts';
import type { Platform } from './platform.ts';
import type { Timing } from './timing.ts';

/** Where the token of the pairing is from. */
export interface TokenStore {
  /**
   * Called before every hello: a restarted server may have a new one. Null: a code or a key is needed. `isOwnServer`:
   * whether the server is known to be the one of this user; a token that such a server gave is for no other.
   */
  read(isOwnServer: boolean): Promise<string | null>;
  /** Keeps a token, or forgets it (null). Absent where the server itself makes it: one that is refused is read again. */
  write?(token: string | null, isOwnServer: boolean): Promise<void>;
}

export interface SessionOptions {
  /** Address of the server, for example `http://127.0.0.1:47860`; or where it is to be looked for. */
  readonly server: string | ServerSearch;
  /** A key that pairs without a code, good for one use; null when there is none. Asked when there is no token. */
  readonly takeKey?: (() => string | null) | undefined;
  readonly client: { readonly name: string; readonly version: string };
  readonly tokens: TokenStore;
  readonly platform: Platform;
  readonly timing: Timing;
  readonly advice?: Advice | undefined;
  /** Asks something that costs the server little, when it has been silent. */
  readonly askForLife: (connection: Connection) => Promise<unknown>;
}
