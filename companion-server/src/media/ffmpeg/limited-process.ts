// How ffmpeg and ffprobe are started and ended, so that a hostile clip cannot use up the machine's memory or disk, or run
// for ever. The shell sets the limits and is then replaced by the program: same process id, same pipes.

import { existsSync } from 'node:fs';
import type { EndOptions } from '../../process/children.ts';

export interface ProcessLimits {
  /** Address space of the process. Systems that cannot limit it (macOS, Windows) rely on `allocationOptions`. */
  readonly memoryBytes: number;
  /** Whether it may write to regular files. Pipes are no files. */
  readonly mayWriteFiles: boolean;
}

/** For processes that read clips. Pictures of 16384 x 8192 do not fit if a codec needs many of them at once. */
export const readLimits: ProcessLimits = { memoryBytes: 4 * 1024 ** 3, mayWriteFiles: false };

/** For processes that write results; their pictures are our own, the sound is the clip's. */
export const writeLimits: ProcessLimits = { memoryBytes: 16 * 1024 ** 3, mayWriteFiles: true };

/** Largest single buffer, as an option of ffmpeg: works on every system, with a better message than a failed malloc. */
export const allocationOptions: readonly string[] = ['-max_alloc', String(1024 ** 3)];

const shell = '/bin/sh';

/** Two seconds: when ffmpeg is asked to end it closes its files, and it blocks on pipes that are not read. */
export const politeEnd: EndOptions = { graceMs: 2_000, closesPipes: true };

/** Exit codes of a shell that cannot run the given program. */
export const notRunnableExitCodes: readonly number[] = [126, 127];

/** The command that runs `program` within the limits, and the arguments that come before the program's own. */
export function limitProgram(
  program: string,
  { memoryBytes, mayWriteFiles }: ProcessLimits,
): { readonly command: string; readonly firstArguments: readonly string[] } {
  if (process.platform === 'win32' || !existsSync(shell)) {
    return { command: program, firstArguments: [] };
  }
  const limits = [
    'ulimit -c 0',
    `ulimit -v ${Math.floor(memoryBytes / 1024)}`,
    ...(mayWriteFiles ? [] : ['ulimit -f 0']),
  ];
  const script = `${limits.map((limit) => `${limit} 2>/dev/null`).join('; ')}; exec ${quoted(program)} "$@"`;
  return { command: shell, firstArguments: ['-c', script, program.replaceAll(/\s/g, '_')] };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
