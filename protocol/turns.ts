// Work that must not overlap, one piece after the other. It is not part of the protocol; it is here because panel and
// server both need it, and protocol/ is the only code that both can import.

export interface Turns {
  /**
   * Begins `work` when all earlier work has ended, with or without an error, and never before this call returns. Resolves
   * or rejects as `work` does.
   */
  take<T>(work: () => T | Promise<T>): Promise<T>;
  /** Resolves when all work so far has ended, with or without an error. */
  over(): Promise<void>;
  /** Pieces of work that have not ended. */
  readonly size: number;
}

/** A queue without a limit, of which `atOnce` pieces of work run at the same time: begun in the order in which they came. */
export function createTurns(atOnce = 1): Turns {
  const waiting: (() => void)[] = [];
  const unfinished = new Set<Promise<void>>();
  let running = 0;

  async function run<T>(work: () => T | Promise<T>): Promise<T> {
    // A finished turn passes directly to the next in line, so that work that comes later cannot take it.
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else {
      running++;
      await Promise.resolve();
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  }

  return {
    take(work) {
      const turn = run(work);
      const forget = (): void => void unfinished.delete(over);
      const over: Promise<void> = turn.then(forget, forget);
      unfinished.add(over);
      return turn;
    },
    async over() {
      await Promise.all([...unfinished]);
    },
    get size() {
      return unfinished.size;
    },
  };
}
