// Ctrl+C and requests to terminate: the first cancels, the second ends the process at once.

import { interruptedExitCode, terminatedExitCode } from './exit-codes.ts';

export interface Interruption {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** The exit code of the signal that came, or undefined. */
  exitCode(): number | undefined;
}

const exitCodes = {
  SIGINT: interruptedExitCode,
  SIGTERM: terminatedExitCode,
  SIGHUP: terminatedExitCode,
} as const;

/** Listens from now on. */
export function listenForInterruption(): Interruption {
  const canceler = new AbortController();
  let exitCode: number | undefined;
  for (const [name, code] of Object.entries(exitCodes)) {
    process.on(name, () => {
      if (exitCode !== undefined) process.exit(exitCode);
      exitCode = code;
      canceler.abort();
    });
  }
  return { signal: canceler.signal, exitCode: () => exitCode };
}
