// Fair timing on a shared machine: the contestants take turns, and the ratio is taken round by round.

export interface Contest {
  /** Seconds of each round, per contestant. */
  readonly seconds: readonly (readonly number[])[];
  /** Median over the rounds of contestant 0's seconds divided by contestant 1's. */
  readonly ratio: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/**
 * Runs the contestants in turns. A contestant returns the seconds that count. Before that each runs once to warm up, or
 * only those of `warmUps`.
 */
export async function interleave(
  contestants: readonly (() => Promise<number>)[],
  rounds: number,
  warmUps: readonly (() => Promise<unknown>)[] = contestants,
): Promise<Contest> {
  for (const run of warmUps) await run();
  const seconds = contestants.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, run] of contestants.entries()) seconds[i]?.push(await run());
  }
  const [first = [], second = []] = seconds;
  return { seconds, ratio: median(first.map((value, i) => value / (second[i] ?? NaN))) };
}

/** Seconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
