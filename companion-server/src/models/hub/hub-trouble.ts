// Failures of a download that may pass, and how long to wait before the next try.

import { setTimeout as sleep } from 'node:timers/promises';
import { CanceledError, throwIfCanceled, type EditError } from '../../errors.ts';

/** A failure after which trying again is useful. */
export class HubTrouble extends Error {
  override readonly name = 'HubTrouble';
  /** What is thrown when there is no further try. */
  readonly error: EditError;
  /** The wait that the server requested, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(error: EditError, retryAfterMs?: number) {
    super(error.message, { cause: error });
    this.error = error;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Tries in a row that bring nothing, before giving up. */
const maxFailures = 6;
const firstDelayMs = 500;
const longestDelayMs = 30_000;
/** A server that asks for more is not waited for. */
const longestRetryAfterMs = 5 * 60_000;

export interface Patience {
  /** Resolves after so many milliseconds; rejects when `signal` is aborted. */
  readonly wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
  readonly onRetry?: (trouble: HubTrouble, delayMs: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Runs `work` until it succeeds. `worked()` reports progress: the count of failures starts again. */
export async function withRetries<T>(
  work: (worked: () => void) => Promise<T>,
  { wait = waitFor, onRetry, signal }: Patience,
): Promise<T> {
  let failures = 0;
  const worked = (): void => void (failures = 0);
  for (;;) {
    try {
      return await work(worked);
    } catch (error) {
      throwIfCanceled(signal);
      if (!(error instanceof HubTrouble)) throw error;
      failures += 1;
      const { retryAfterMs } = error;
      if (failures >= maxFailures || (retryAfterMs ?? 0) > longestRetryAfterMs) throw error.error;
      const delayMs = Math.max(retryAfterMs ?? 0, delayAfter(failures));
      onRetry?.(error, delayMs);
      await wait(delayMs, signal);
    }
  }
}

/** Doubles with every failure; the random part keeps many clients from coming back together. */
function delayAfter(failures: number): number {
  return Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
}

async function waitFor(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw new CanceledError();
  }
}

/** Milliseconds that a Retry-After header asks for: seconds, or a date. */
export function readRetryAfter(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
