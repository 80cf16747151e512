// How patient a client is. The panel looks for its server as long as it is open; a command ends when the server stays away.

export interface Timing {
  /** Pause after a connection that was of use, in milliseconds. */
  readonly afterLossMs: number;
  /** Pause after an attempt that failed; twice as long after each further one, up to `longestPauseMs`. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** Share of a growing pause that chance may take away, 0..1, so that clients do not come back all at once. */
  readonly spread: number;
  /** Where several addresses are tried: after so long the next one is tried as well. */
  readonly nextAddressMs: number;
  /** Where several addresses are tried: how long one has to open and to say who answers there. */
  readonly identityMs: number;
  /** How long an opening or a greeting may take. */
  readonly greetingMs: number;
  /** After so long a silence the client checks whether the server still answers. Null: never. */
  readonly silenceMs: number | null;
  /** How long it has for that. */
  readonly lifeSignMs: number;
  /**
   * How long a server that has gone is looked for before the client gives up; the very first attempt is the only one then.
   * Null: the client never gives up.
   */
  readonly patienceMs: number | null;
  /** Connections lost in a row, without any progress on them, after which a piece of work is given up. */
  readonly maxLosses: number;
}

/** For a panel, which people leave open. */
export const panelTiming: Timing = {
  afterLossMs: 1_000,
  firstPauseMs: 1_000,
  longestPauseMs: 15_000,
  spread: 0.25,
  nextAddressMs: 300,
  identityMs: 3_000,
  greetingMs: 10_000,
  silenceMs: 15_000,
  lifeSignMs: 10_000,
  patienceMs: null,
  maxLosses: Number.POSITIVE_INFINITY,
};

/**
 * For one command, which looks for a lost server for `patienceMs`; 0: not at all. A server that is only slow is waited for:
 * it may share this process, or its machine may sleep.
 */
export function commandTiming(patienceMs: number): Timing {
  return {
    afterLossMs: 0,
    firstPauseMs: 100,
    longestPauseMs: 5_000,
    spread: 0,
    nextAddressMs: 300,
    identityMs: 3_000,
    greetingMs: 60_000,
    silenceMs: null,
    lifeSignMs: 0,
    patienceMs,
    maxLosses: 20,
  };
}

/**
 * How long to wait before the next attempt, in milliseconds.
 * @param failures attempts in a row that have failed; 0 after a connection that was of use
 * @param random 0..1
 */
export function pauseBefore(failures: number, timing: Timing, random: () => number): number {
  if (failures === 0) return timing.afterLossMs;
  const longest = Math.min(timing.longestPauseMs, timing.firstPauseMs * 2 ** (failures - 1));
  return longest * (1 - timing.spread + timing.spread * random());
}
