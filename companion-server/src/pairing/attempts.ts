// How often a pairing code may be tried. A few mistakes are free; then attempts take turns, one after the other with a
// pause between them, so that guessing takes too long. A client is not refused because another one made mistakes:
// programs of the same machine have the same address, and one that guesses must not block the panel that knows the code.

import { setTimeout as delay } from 'node:timers/promises';
import { createTurns } from '../../../protocol/turns.ts';

/** Wrong codes that cost nothing. */
const freeFailures = 10;
/** Between two attempts after that: 20 tries a second, of 30^8 codes that are good for ten minutes each. */
export const turnMs = 50;
/** After so long without a wrong code, all is free again. */
const memoryMs = 15 * 60 * 1000;
/** Attempts that may wait. Connections without a token are 64 at most. */
const maxWaiting = 200;

export interface Attempts {
  /** Resolves when it is this attempt's turn; false at once when too many wait. */
  takeTurn(): Promise<boolean>;
  recordFailure(): void;
}

export interface AttemptsOptions {
  /** Milliseconds that only grow. Default: since the start of the process. */
  readonly elapsedMs?: () => number;
  /** Default: a timer. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

export function createAttempts({
  elapsedMs = () => performance.now(),
  // A server that stops does not wait for clients that guess.
  pause = (ms) => delay(ms, undefined, { ref: false }),
}: AttemptsOptions = {}): Attempts {
  let failures = 0;
  let lastFailureMs = 0;
  const turns = createTurns();

  const isFree = (): boolean => failures < freeFailures || elapsedMs() - lastFailureMs > memoryMs;

  return {
    async takeTurn() {
      if (isFree() && turns.size === 0) return true;
      if (turns.size >= maxWaiting) return false;
      await turns.take(() => pause(turnMs));
      return true;
    },
    recordFailure() {
      failures = isFree() && failures >= freeFailures ? 1 : failures + 1;
      lastFailureMs = elapsedMs();
    },
  };
}
