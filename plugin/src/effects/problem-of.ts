// Any failure as a problem with a code, so that people get a sentence and the details stay copyable.

import { ClientError, StoppedError } from '../client/problem.ts';
import { CanceledError, HostError } from '../host/problems.ts';
import type { Problem } from '../state/problem.ts';

export function problemOf(error: unknown): Problem {
  if (error instanceof ClientError) {
    const { code, message, hint } = error;
    return { code, message, hint };
  }
  if (error instanceof HostError) return { code: error.code, message: error.message, hint: null };
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { code: 'internal', message, hint: null };
}

/** Whether somebody wanted this end. */
export function isStop(error: unknown): boolean {
  return error instanceof StoppedError || error instanceof CanceledError;
}
