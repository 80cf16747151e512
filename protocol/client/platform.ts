// What the program around the client provides: UXP, a browser or Node.

import type { Clock } from './clock.ts';
import type { OpenSocket } from './socket.ts';

export interface Platform {
  readonly openSocket: OpenSocket;
  readonly clock: Clock;
  readonly createSha256: () => Sha256;
  /** 0..1, to spread attempts. */
  readonly random: () => number;
  /** Media bytes of an upload that the socket may hold unacknowledged. The server's own limit holds besides. */
  readonly windowBytes: number;
}

/** A SHA-256 that is computed piece by piece. */
export interface Sha256 {
  /** Bytes so far. */
  readonly bytes: number;
  update(bytes: Uint8Array): void;
  /** The hash of the bytes so far: 64 lower-case hexadecimal digits. More bytes may follow. */
  digest(): string;
}
