// What the client's promises are rejected with: the error that the server named, or one of its own from the same table.

import type { ErrorCode } from '../../../protocol/error-codes.ts';
import type { WireError } from '../../../protocol/wire-error.ts';

export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ErrorCode;
  readonly hint: string | null;

  constructor(code: ErrorCode, message: string, hint: string | null = null) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

export function fromWire({ code, message, hint }: WireError): ClientError {
  return new ClientError(code, message, hint ?? null);
}

/** The caller's signal was aborted, or the caller has asked anew: an outcome, not a failure. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';

  constructor() {
    super('Stopped.');
  }
}

export function isLost(error: unknown): boolean {
  return error instanceof ClientError && error.code === 'connection-lost';
}
