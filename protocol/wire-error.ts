// An error as it crosses the wire.

import { errorCodes, type ErrorCode } from './error-codes.ts';
import type { FieldReader } from './fields.ts';

/** An error as it crosses the wire. `hint` says what the user can do. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly retryable: boolean;
}

const maxMessageCharacters = 4_000;

/** Reads a wire error from the field `error`. Throws FieldError. */
export function readWireError(fields: FieldReader): WireError {
  const error = fields.object('error', ['code', 'message', 'hint', 'retryable']);
  const code = error.oneOf('code', Object.keys(errorCodes) as ErrorCode[]);
  const hint = error.optional('hint', () => error.text('hint', { max: maxMessageCharacters }));
  return {
    code,
    message: error.text('message', { max: maxMessageCharacters }),
    ...(hint === undefined ? {} : { hint }),
    retryable: error.flag('retryable'),
  };
}
