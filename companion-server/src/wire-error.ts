// Errors as plain data, for the socket and for the pipe between server and engine process. fromWireError is the way back.

import { wireErrorOf, type WireError } from '../../protocol/messages/wire-error.ts';
import { EditError } from './errors.ts';
import { diskFailureOf, isFullDisk } from './files/disk-error.ts';
import { withoutPaths } from './without-paths.ts';

/** Longest message that crosses, in characters. */
const maxMessageCharacters = 2_000;

/** Any thrown value as a wire error. What is not a known failure becomes `internal`, without its stack. */
export function toWireError(error: unknown): WireError {
  return shorten(wireErrorOf(toEditError(error)));
}

/** The same for a client, which hears of no file of the server more than its name. */
export function toClientError(error: unknown): WireError {
  const known = toEditError(error);
  const { code, message, hint } = wireErrorOf(known);
  return shorten({
    code,
    message: withoutPaths(known, message),
    ...(hint === undefined ? {} : { hint: withoutPaths(known, hint) }),
  });
}

function shorten({ code, message, hint }: WireError): WireError {
  return {
    code,
    message: message.slice(0, maxMessageCharacters),
    ...(hint === undefined ? {} : { hint: hint.slice(0, maxMessageCharacters) }),
  };
}

/** Any thrown value as an EditError: translates a full disk and a database that is held, keeps the rest as cause. */
export function toEditError(error: unknown): EditError {
  if (error instanceof EditError) return error;
  if (isFullDisk(error)) {
    const isDatabase = (error as { readonly code?: unknown }).code === 'SQLITE_FULL';
    const hint = isDatabase
      ? 'Free some space on the disk of the data folder, or set TOKENFLOW_DATA to a folder on a larger one.'
      : 'Free some space, or choose another disk with --out, TOKENFLOW_DATA and TOKENFLOW_CACHE.';
    return new EditError('disk-full', 'The disk is full.', { hint, cause: error });
  }
  const failure = diskFailureOf(error);
  if (failure?.code === 'limit-reached') {
    const { code, hint = '' } = failure;
    return new EditError(code, 'Too many files are open on the machine of the server.', { hint, cause: error });
  }
  if (isDatabaseBusy(error)) {
    return new EditError('database-busy', 'Another program holds the database of the server.', {
      hint: 'Try again in a moment: a backup, a sync or a virus scanner may be at work on the data folder.',
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  const hint = 'This is a fault in the program. Please report it with the log.';
  return new EditError('internal', `Something unexpected failed: ${message}`, {
    hint,
    cause: error,
  });
}

function isDatabaseBusy(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && /^SQLITE_(BUSY|LOCKED)/.test(code);
}
