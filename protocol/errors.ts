// How work ends without a result: with a failure that has a code from the one table, or with a cancel, which is an
// outcome. Panel, command line, server and engine throw the same two. On the wire a failure is a WireError (wire-error.ts).

import type { ErrorCode } from './error-codes.ts';

/** A failure with a stable code. `message` says what failed, the rule and the value; `hint` what to do. */
export class EditError extends Error {
  override readonly name: string = 'EditError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** Thrown when a signal ends a long operation. */
export class CanceledError extends Error {
  override readonly name = 'CanceledError';
  /** A sentence about files that are left behind on purpose; undefined when there are none. */
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

/** The members of an AbortSignal that are used; Node, browsers and UXP all have them. */
export interface Signal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Throws CanceledError when `signal` has been aborted. */
export function throwIfCanceled(signal: Signal | undefined): void {
  if (signal?.aborted === true) throw new CanceledError();
}

/** `promise`, unless `signal` is aborted first: then CanceledError. The started work continues, but is not awaited. */
export async function orCanceled<T>(promise: Promise<T>, signal: Signal | undefined): Promise<T> {
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
