// How many may stand in the doorway. A connection is a stranger's until a token was shown on it; strangers are few and
// do not stay, so that no crowd of them keeps a paired client out.

import type { Duplex } from 'node:stream';

export interface AdmissionOptions {
  /** Connections without a token at a time. Default: 64. The longest waiting one goes when another comes. */
  readonly maxStrangers?: number;
  /** How long a connection may stay a stranger's. Default: 15 seconds. */
  readonly strangerMs?: number;
}

export interface Admission {
  /** Takes a new connection in. */
  admit(connection: Duplex): void;
  /** A token was shown on the connection: it may stay. */
  trust(connection: Duplex): void;
  strangers(): number;
}

export function createAdmission({ maxStrangers = 64, strangerMs = 15_000 }: AdmissionOptions = {}): Admission {
  /** In the order of their coming. */
  const strangers = new Map<Duplex, NodeJS.Timeout>();

  function forget(connection: Duplex): void {
    clearTimeout(strangers.get(connection));
    strangers.delete(connection);
  }

  return {
    admit(connection) {
      const timer = setTimeout(() => connection.destroy(), strangerMs).unref();
      strangers.set(connection, timer);
      connection.once('close', () => forget(connection));
      const [longest] = strangers.keys();
      if (strangers.size > maxStrangers && longest !== undefined) {
        forget(longest);
        longest.destroy();
      }
    },
    trust: forget,
    strangers: () => strangers.size,
  };
}
