// Keys of links that open the panel in this user's browser, already paired. A key is good once: whoever sees the link later,
// in the history of a browser or in a list of processes, gets nothing by it.

import { createHash, randomBytes } from 'node:crypto';

export const linkLifetimeMs = 5 * 60 * 1000;

/** Links that may be open at a time; one more makes the oldest void. */
const maxOpen = 16;

export interface LinkKey {
  /** 64 hexadecimal digits. */
  readonly key: string;
  readonly expiresAt: Date;
}

export interface LinkKeys {
  open(): LinkKey;
  /** Whether the key is good. It is void afterwards. */
  use(key: string): boolean;
}

export function createLinkKeys(now: () => Date): LinkKeys {
  /** When the open keys expire, by their hash, the oldest first. A search by hash tells nothing about a key. */
  const expiries = new Map<string, Date>();
  return {
    open() {
      const key = randomBytes(32).toString('hex');
      const expiresAt = new Date(now().getTime() + linkLifetimeMs);
      expiries.set(hashOf(key), expiresAt);
      const [oldest] = expiries.keys();
      if (expiries.size > maxOpen && oldest !== undefined) expiries.delete(oldest);
      return { key, expiresAt };
    },
    use(key) {
      const hash = hashOf(key);
      const expiresAt = expiries.get(hash);
      expiries.delete(hash);
      return expiresAt !== undefined && now() < expiresAt;
    },
  };
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
