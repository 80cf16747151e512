// A clock that advances only when a test says so.

import type { Clock } from '../clock.ts';

export interface FakeClock extends Clock {
  /** Lets everything happen that waits for nothing but its turn. */
  settle(): Promise<void>;
  /** Advances by `ms` and runs the timers that are due. */
  advance(ms: number): Promise<void>;
  /** Advances from timer to timer until `isDone`; throws when no timer is left. */
  runUntil(isDone: () => boolean): Promise<void>;
  /** Delays of the timers that wait, shortest first. */
  readonly pending: readonly number[];
}

export function createFakeClock(): FakeClock {
  let now = Date.UTC(2026, 10, 22);
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();

  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const next = () => [...timers].sort((a, b) => a.at - b.at)[0];

  async function advance(ms: number): Promise<void> {
    const end = now + ms;
    for (let timer = next(); timer !== undefined && timer.at <= end; timer = next()) {
      timers.delete(timer);
      now = Math.max(now, timer.at);
      timer.run();
      await settle();
    }
    now = end;
    await settle();
  }

  return {
    now: () => now,
    after(delayMs, run) {
      const timer = { at: now + delayMs, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    settle,
    advance,
    async runUntil(isDone) {
      for (;;) {
        await settle();
        if (isDone()) return;
        const timer = next();
        if (timer === undefined) throw new Error('Nothing is left to wait for.');
        await advance(timer.at - now);
      }
    },
    get pending() {
      return [...timers].map(({ at }) => at - now).sort((a, b) => a - b);
    },
  };
}
