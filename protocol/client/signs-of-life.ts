// Ends connections on which nothing arrives any more. An open socket may still be dead: the machine slept, the server
// hangs.

import type { Clock } from './clock.ts';
import type { Connection } from './connection.ts';
import type { Timing } from './timing.ts';

/** The result of `promise`. The connection is closed after `limitMs`, so that requests without an answer are rejected. */
export async function expectAnswer<T>(
  connection: Connection,
  promise: Promise<T>,
  { clock, limitMs }: { readonly clock: Clock; readonly limitMs: number },
): Promise<T> {
  const cancel = clock.after(limitMs, () => connection.close('the server did not answer in time'));
  try {
    return await promise;
  } finally {
    cancel();
  }
}

export interface SilenceOptions {
  readonly clock: Clock;
  readonly timing: Pick<Timing, 'silenceMs' | 'lifeSignMs'>;
  /** Asks something that costs the server little. */
  readonly askForLife: (connection: Connection) => Promise<unknown>;
}

/** After every silence checks whether the server answers, until the connection ends; if it does not, closes it. */
export function watchSilence(connection: Connection, { clock, timing, askForLife }: SilenceOptions): void {
  const { silenceMs, lifeSignMs } = timing;
  if (silenceMs === null) return;
  let cancel = clock.after(silenceMs, check);
  void connection.ended.then(() => cancel());
  function check(): void {
    if (connection.isOver || silenceMs === null) return;
    const silentMs = clock.now() - connection.heardAt;
    if (silentMs < silenceMs) {
      cancel = clock.after(silenceMs - silentMs, check);
      return;
    }
    expectAnswer(connection, askForLife(connection), { clock, limitMs: lifeSignMs })
      // A refusal is also an answer; an ended connection needs nothing.
      .catch(() => undefined)
      .finally(() => {
        if (!connection.isOver) cancel = clock.after(silenceMs, check);
      });
  }
}
