// Whether a process still lives, by the beats that a thread of it sends. Silence is counted in ticks of this process, not
// in time: a machine that has slept, or a server that was stopped, has not missed any.

import type { Readable, Writable } from 'node:stream';

/** Silent ticks after which a process is taken for frozen; before its first beat it is still starting. */
const silentTicks = { running: 5, starting: 30 } as const;

/**
 * Calls `onSilence` once when `beats`, the parent's end of a pipe, brings nothing for five ticks of `tickMs`. Returns what
 * ends the watch.
 */
export function watchHeartbeat(
  beats: Readable | Writable | null | undefined,
  tickMs: number,
  onSilence: () => void,
): () => void {
  let silent = 0;
  let limit: number = silentTicks.starting;
  beats?.on('data', () => {
    silent = 0;
    limit = silentTicks.running;
  });
  // It breaks with the process, which is noticed elsewhere.
  beats?.on('error', () => undefined);
  const timer = setInterval(() => {
    silent++;
    if (silent <= limit) return;
    clearInterval(timer);
    onSilence();
  }, tickMs).unref();
  return () => clearInterval(timer);
}
