// Work that survives the end of a connection.

import { throwIfCanceled, type Signal } from '../errors.ts';
import { isLost, type Connection } from './connection.ts';

/** One try of a piece of work, on one connection. */
export interface Attempt {
  readonly connection: Connection;
  /** Reports progress, so that the next lost connection counts as the first again. */
  readonly progressed: () => void;
}

/**
 * Runs `work` on the current connection. When that is lost during the work, runs `work` again on the next one, so `work`
 * must find out itself how far it got. Rejected with what `work` throws, with CanceledError once `signal` is aborted, and
 * with 'connection-lost' when the session has given up or the connection was lost too often.
 */
export type Run = <T>(work: (attempt: Attempt) => Promise<T>, signal?: Signal) => Promise<T>;

export interface RunOptions {
  readonly online: (signal?: Signal) => Promise<Connection>;
  /** Called when a connection was useful. */
  readonly progressed: (connection: Connection) => void;
  /** Losses in a row that a piece of work survives. */
  readonly maxLosses: number;
}

export function createRun({ online, progressed, maxLosses }: RunOptions): Run {
  return async (work, signal) => {
    let losses = 0;
    for (;;) {
      const connection = await online(signal);
      const noteProgress = (): void => {
        losses = 0;
        progressed(connection);
      };
      try {
        const result = await work({ connection, progressed: noteProgress });
        noteProgress();
        return result;
      } catch (error) {
        throwIfCanceled(signal);
        if (!isLost(error) || losses >= maxLosses) throw error;
        losses += 1;
      }
    }
  };
}
