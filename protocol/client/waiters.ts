// Those who wait for the same thing.

import { orCanceled, type Signal } from '../errors.ts';

export interface Waiters<T> {
  /** The next value. Rejected with CanceledError, or with what `refuse` was given. */
  wait(signal?: Signal): Promise<T>;
  settle(value: T): void;
  refuse(error: unknown): void;
}

interface Waiter<T> {
  readonly settle: (value: T) => void;
  readonly refuse: (error: unknown) => void;
}

export function createWaiters<T>(): Waiters<T> {
  const waiting = new Set<Waiter<T>>();
  return {
    async wait(signal) {
      let stopWaiting: () => void = () => undefined;
      const soon = new Promise<T>((settle, refuse) => {
        const waiter = { settle, refuse };
        waiting.add(waiter);
        stopWaiting = () => void waiting.delete(waiter);
      });
      try {
        return await orCanceled(soon, signal);
      } finally {
        stopWaiting();
      }
    },
    settle(value) {
      for (const { settle } of [...waiting]) settle(value);
    },
    refuse(error) {
      for (const { refuse } of [...waiting]) refuse(error);
    },
  };
}
