// Waiting that can be stopped. UXP has AbortController; of the signal only these three are used.

import { StoppedError } from './problem.ts';

export interface StopSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** `promise`, unless `signal` is aborted first: then StoppedError. */
export async function orStopped<T>(promise: Promise<T>, signal: StopSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  if (signal.aborted) throw new StoppedError();
  let stop: () => void = () => undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new StoppedError());
  });
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

export function throwIfStopped(signal: StopSignal | undefined): void {
  if (signal?.aborted === true) throw new StoppedError();
}
