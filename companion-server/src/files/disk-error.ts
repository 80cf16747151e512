// Turns the system's error for a failed write into an error that a user can act on. This is the only table of such codes:
// the code that writes a file only names what could not be written and what to do.

import { dirname } from 'node:path';
import { EditError } from '../errors.ts';

/** The parts of the message that depend on the file. */
export interface DiskAdvice {
  /** What could not be done, as the beginning of a sentence. Default: `Cannot write "PATH"`. */
  readonly what?: string;
  /** What to do when the disk is full, where a setting moves the file to another one. Default: free some space there. */
  readonly whenFull?: string;
  /** What to do when this folder refuses the file and another one would not. Default: choose such a folder. */
  readonly whenRefused?: string;
}

export interface DiskFailure {
  readonly code: Extract<EditError['code'], 'disk-full' | 'output-unwritable' | 'limit-reached'>;
  /** The end of a sentence, without its full stop. */
  readonly reason: string;
  /** What to do, where it is the same for every file. */
  readonly hint?: string;
}

const noPermission: DiskFailure = { code: 'output-unwritable', reason: 'there is no permission to write there' };
const isOpenElsewhere: DiskFailure = {
  code: 'output-unwritable',
  reason: 'another program has it open',
  hint: 'Close the file in the other program, then try again.',
};
const tooManyFiles: DiskFailure = {
  code: 'limit-reached',
  reason: 'too many files are open on this machine',
  hint: 'Try again in a moment, or close other programs there.',
};

/** By the names of errno(3), which Node uses on Windows too. */
const failures: Readonly<Record<string, DiskFailure>> = {
  ENOSPC: { code: 'disk-full', reason: 'the disk is full' },
  EDQUOT: { code: 'disk-full', reason: "this user's quota of the disk is full" },
  EROFS: { code: 'output-unwritable', reason: 'the disk is read-only' },
  EACCES: noPermission,
  EPERM: noPermission,
  ENOENT: { code: 'output-unwritable', reason: 'its folder does not exist' },
  ENOTDIR: { code: 'output-unwritable', reason: 'its folder is a file' },
  EISDIR: { code: 'output-unwritable', reason: 'it is a folder' },
  ENAMETOOLONG: { code: 'output-unwritable', reason: 'its name is too long' },
  EFBIG: { code: 'output-unwritable', reason: 'the disk takes no file of that size' },
  EBUSY: isOpenElsewhere,
  ETXTBSY: isOpenElsewhere,
  EIO: {
    code: 'output-unwritable',
    reason: 'the disk reports a fault (EIO)',
    hint: 'Check the disk and its cable, or use another disk.',
  },
  EMFILE: tooManyFiles,
  ENFILE: tooManyFiles,
};

/**
 * What a system error means; undefined for any other value. A code that is not in the table (a network disk has many) is
 * 'output-unwritable' in the system's own words. A file that is closed already is no failure of the disk, but a fault in
 * this program.
 */
export function diskFailureOf(error: unknown): DiskFailure | undefined {
  if (!(error instanceof Error) || error instanceof EditError) return undefined;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || code === 'EBADF') return undefined;
  const known = failures[code];
  if (known !== undefined) return known;
  return syscall === undefined ? undefined : { code: 'output-unwritable', reason: error.message };
}

/**
 * A failure to write the file at `path` as EditError 'disk-full', 'output-unwritable' or 'limit-reached'; whatever is no
 * failure of the disk as it is.
 */
export function toDiskError(error: unknown, path: string, advice: DiskAdvice = {}): unknown {
  const failure = diskFailureOf(error);
  if (failure === undefined) return error;
  const { what = `Cannot write "${path}"`, whenFull = `Free some space on the disk of ${dirname(path)}.` } = advice;
  const { whenRefused = 'Choose a folder that exists and that you may write to.' } = advice;
  const { code, reason, hint = code === 'disk-full' ? whenFull : whenRefused } = failure;
  return new EditError(code, `${what}: ${reason}.`, { hint, cause: error });
}

/** Returns the result of `work`. Its failures are thrown as errors of `toDiskError`. */
export async function explainingDisk<T>(path: string, advice: DiskAdvice, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toDiskError(error, path, advice);
  }
}

/** Whether a file or folder is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Whether a write to a file or the database failed because the disk or the quota is full. */
export function isFullDisk(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  if (typeof code !== 'string') return false;
  return code === 'disk-full' || code === 'SQLITE_FULL' || failures[code]?.code === 'disk-full';
}
