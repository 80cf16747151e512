// Any failure as a problem with a code, so that the user gets a sentence and can still copy the details.

import { CanceledError, EditError } from '../../../protocol/errors.ts';
import { wireErrorOf } from '../../../protocol/messages/wire-error.ts';
import { HostError } from '../host/problems.ts';
import type { Problem } from '../state/problem.ts';

export function problemOf(error: unknown): Problem {
  if (error instanceof EditError) return wireErrorOf(error);
  if (error instanceof HostError) return { code: error.code, message: error.message };
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { code: 'internal', message };
}

/** Whether the user wanted this end. */
export function isCancel(error: unknown): boolean {
  return error instanceof CanceledError;
}
