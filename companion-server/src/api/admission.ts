// How many connections without a token may be open. They are few and short, so that many of them cannot keep a paired
// client out.

import type { Duplex } from 'node:stream';

export interface AdmissionOptions {
  /** Connections without a token at a time. Default: 64. When one more comes, the one that has waited longest is closed. */
  readonly maxUnauthenticated?: number;
  /** How long a connection may stay without a token. Default: 15 seconds. */
  readonly unauthenticatedMs?: number;
}

export interface Admission {
  /** Takes a new connection in. */
  admit(connection: Duplex): void;
  /** A token was shown on the connection: it may stay. */
  trust(connection: Duplex): void;
  /** Connections without a token. */
  unauthenticated(): number;
}

export function createAdmission({
  maxUnauthenticated = 64,
  unauthenticatedMs = 15_000,
}: AdmissionOptions = {}): Admission {
  /** In the order of their arrival. */
  const waiting = new Map<Duplex, NodeJS.Timeout>();

  function forget(connection: Duplex): void {
    clearTimeout(waiting.get(connection));
    waiting.delete(connection);
  }

  return {
    admit(connection) {
      const timer = setTimeout(() => connection.destroy(), unauthenticatedMs).unref();
      waiting.set(connection, timer);
      connection.once('close', () => forget(connection));
      const [longest] = waiting.keys();
      if (waiting.size > maxUnauthenticated && longest !== undefined) {
        forget(longest);
        longest.destroy();
      }
    },
    trust: forget,
    unauthenticated: () => waiting.size,
  };
}
