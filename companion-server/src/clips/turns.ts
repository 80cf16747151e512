// Work on the same thing, one after the other; work on different things side by side.

export interface Turns {
  /** Begins `work` when all that was given before for the same `key` is over. */
  take<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createTurns(): Turns {
  const lasts = new Map<string, Promise<unknown>>();
  return {
    take(key, work) {
      const turn = (lasts.get(key) ?? Promise.resolve()).then(work);
      const over = turn
        .catch(() => undefined)
        .finally(() => {
          if (lasts.get(key) === over) lasts.delete(key);
        });
      lasts.set(key, over);
      return turn;
    },
  };
}
