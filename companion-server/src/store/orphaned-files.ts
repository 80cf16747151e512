// Files in the data folder that no row of the database names. The database itself may be wrong: moved away, damaged, or an
// older copy. So these files are not deleted, but moved to a folder where the user finds them.

import { mkdir, rename } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** Moves a file or folder of the data folder aside. Never rejects: what cannot be moved stays where it is. */
export type SetAside = (path: string) => Promise<void>;

export interface SetAsideOptions {
  /** Absolute. */
  readonly dataDir: string;
  /** Called for everything that was moved; both paths are relative to the data folder. */
  readonly onMoved: (from: string, to: string) => void;
  readonly onFailure: (from: string, error: unknown) => void;
  /** Default: the clock. */
  readonly now?: () => Date;
}

/** Moves what it is given below `set-aside/TIME` in the data folder, each at the place that it had. */
export function createSetAside({ dataDir, onMoved, onFailure, now = () => new Date() }: SetAsideOptions): SetAside {
  // No colons: Windows has none in names.
  const folder = join('set-aside', now().toISOString().replaceAll(':', '-'));
  return async (path) => {
    const from = relative(dataDir, path);
    const to = join(folder, from);
    try {
      await mkdir(dirname(join(dataDir, to)), { recursive: true, mode: 0o700 });
      await rename(path, join(dataDir, to));
      onMoved(from, to);
    } catch (error) {
      onFailure(from, error);
    }
  };
}
