// Work on the same thing, one after the other; work on different things side by side.

import { createTurns, type Turns } from '../../../protocol/turns.ts';

export interface KeyedTurns {
  /** Begins `work` when all that was given before for the same `key` is over. */
  take<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createKeyedTurns(): KeyedTurns {
  const byKey = new Map<string, Turns>();
  return {
    take(key, work) {
      const turns = byKey.get(key) ?? createTurns();
      byKey.set(key, turns);
      return turns.take(work).finally(() => {
        if (turns.size === 0) byKey.delete(key);
      });
    },
  };
}
