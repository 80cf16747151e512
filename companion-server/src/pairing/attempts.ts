// How often a pairing code may be tried. A few mistakes are free; then every further one doubles the wait, for the
// address that made it and, later, for everybody.

/** Wrong codes that cost nothing: per address, and on the whole server. */
const freeFailures = { peer: 3, server: 10 } as const;
const firstWaitMs = 1_000;
const longestWaitMs = 5 * 60 * 1000;
/** An address that has been quiet for so long starts anew. */
const memoryMs = 15 * 60 * 1000;
/** Addresses that are remembered; the longest quiet one is forgotten first. */
const maxPeers = 1_000;

interface Record {
  failures: number;
  lastMs: number;
}

export interface Attempts {
  /** Milliseconds that this address has to wait before it may try, 0 when it need not. */
  waitMs(peer: string): number;
  recordFailure(peer: string): void;
  /** The address has shown that it means well. */
  recordSuccess(peer: string): void;
}

/** `now` in milliseconds; it may start anywhere and must not go back. */
export function createAttempts(now: () => number): Attempts {
  const peers = new Map<string, Record>();
  const server: Record = { failures: 0, lastMs: 0 };

  const current = (record: Record | undefined): number =>
    record === undefined || now() - record.lastMs > memoryMs ? 0 : record.failures;

  function remaining(record: Record | undefined, free: number): number {
    const excess = current(record) - free;
    if (record === undefined || excess < 0) return 0;
    const waitMs = Math.min(firstWaitMs * 2 ** excess, longestWaitMs);
    return Math.max(0, record.lastMs + waitMs - now());
  }

  function fail(record: Record): void {
    record.failures = current(record) + 1;
    record.lastMs = now();
  }

  return {
    waitMs: (peer) =>
      Math.max(
        remaining(peers.get(peer), freeFailures.peer),
        remaining(server, freeFailures.server),
      ),
    recordFailure(peer) {
      const record = peers.get(peer) ?? { failures: 0, lastMs: 0 };
      fail(record);
      fail(server);
      // Set anew, so that the first of the map is always the longest quiet one.
      peers.delete(peer);
      peers.set(peer, record);
      const [quietest] = peers.keys();
      if (peers.size > maxPeers && quietest !== undefined) peers.delete(quietest);
    },
    recordSuccess: (peer) => void peers.delete(peer),
  };
}
