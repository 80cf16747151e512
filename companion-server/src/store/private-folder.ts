// A folder that only its user can enter. What is in it (prompts, clips, the secret of links) is safe by that, whatever the
// modes of the files.

import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { EditError } from '../errors.ts';
import { toDiskError } from '../files/disk-error.ts';

const open = 0o077;

/**
 * Makes the folder at `path` (absolute) where it is missing, and closes it to other users. Returns whether it was open to
 * them before. Windows has other rights, which a folder in a user's profile inherits; nothing is done there. Throws
 * EditError 'output-unwritable' or 'disk-full' when it cannot be made, or not be closed.
 */
export function closeToOthers(path: string): boolean {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw toDiskError(error, path, {
      what: `The data folder ${path} cannot be used`,
      whenFull: 'Free some space, or set TOKENFLOW_DATA to a folder on a larger disk.',
      whenRefused: 'Set TOKENFLOW_DATA to a folder that can be written.',
    });
  }
  if (process.platform === 'win32') return false;
  const { mode, uid } = statSync(path);
  const user = process.getuid?.();
  if (uid !== user && user !== 0) throw cannotClose(path, mode, 'it belongs to another user');
  if ((mode & open) === 0) return false;
  try {
    chmodSync(path, 0o700);
  } catch (error) {
    throw cannotClose(path, mode, error instanceof Error ? error.message : String(error), error);
  }
  if ((statSync(path).mode & open) !== 0) throw cannotClose(path, mode, 'its disk knows no modes');
  return true;
}

function cannotClose(path: string, mode: number, reason: string, cause?: unknown): EditError {
  const shown = (mode & 0o777).toString(8).padStart(3, '0');
  return new EditError(
    'output-unwritable',
    `The data folder ${path} (mode ${shown}) must be closed to other users of this machine, and cannot be: ${reason}.`,
    { hint: 'Set TOKENFLOW_DATA to a folder of your own, on a disk that knows users.', cause },
  );
}
