// The error that callers branch on. Everything a user can cause ends in one of these; anything else is a bug.

import type { ErrorCode } from '../../protocol/error-codes.ts';

/** A failure with a stable code. `message` says what failed, the rule and the value; `hint` what to do. */
export class EditError extends Error {
  override readonly name: string = 'EditError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** Cancel is an outcome, not a failure: thrown when an AbortSignal ends a long operation. */
export class CanceledError extends Error {
  override readonly name = 'CanceledError';
  /** A sentence on what is left behind on purpose; undefined when nothing is. */
  readonly kept: string | undefined;

  constructor({ message = 'The operation was canceled.', kept }: CanceledErrorOptions = {}) {
    super(message);
    this.kept = kept;
  }
}

interface CanceledErrorOptions {
  readonly message?: string;
  readonly kept?: string;
}

/** Throws CanceledError when `signal` has been aborted. */
export function throwIfCanceled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new CanceledError();
}

/** `promise`, unless `signal` is aborted first: then CanceledError. What was begun goes on without being waited for. */
export async function orCanceled<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let cancel: () => void = () => undefined;
  const canceled = new Promise<never>((_resolve, reject) => {
    cancel = () => reject(new CanceledError());
  });
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel);
  try {
    return await Promise.race([canceled, promise]);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}
