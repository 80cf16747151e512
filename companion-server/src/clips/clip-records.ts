// The result of each clip's probe, beside its row, so that it is known after a restart. The caller defines the text.

import { basename, dirname, join } from 'node:path';
import type { Database } from '../store/database.ts';

export interface ClipRecords {
  /** The text that was written of the clip at this path; null where there is none. Never throws. */
  read(path: string): string | null;
  /**
   * Stores the text of `toText`, instead of an earlier one, until the clip is removed. If there is no clip at this path,
   * returns false and does not call `toText`. Never throws: nothing depends on it.
   */
  write(path: string, toText: () => string): boolean;
}

export interface ClipRecordsOptions {
  /** With the tables of tables.ts. */
  readonly database: Database;
  /** Absolute path; the clips lie in a folder of it. */
  readonly dataDir: string;
  /** Called with the reason when something could not be read or written. */
  readonly onFailure: (error: unknown) => void;
}

export function createClipRecords({ database, dataDir, onFailure }: ClipRecordsOptions): ClipRecords {
  const clipsDir = join(dataDir, 'clips');

  function clipIdOf(path: string): string | null {
    if (dirname(path) !== clipsDir) return null;
    const row = database.get('SELECT clip_id FROM clips WHERE file_name = ?', basename(path));
    return row === undefined ? null : String(row['clip_id']);
  }

  return {
    read(path) {
      try {
        const clipId = clipIdOf(path);
        if (clipId === null) return null;
        const row = database.get('SELECT record FROM clip_records WHERE clip_id = ?', clipId);
        return row === undefined ? null : String(row['record']);
      } catch (error) {
        onFailure(error);
        return null;
      }
    },
    write(path, toText) {
      try {
        const clipId = clipIdOf(path);
        if (clipId === null) return false;
        database.run('INSERT OR REPLACE INTO clip_records VALUES (?, ?)', clipId, toText());
      } catch (error) {
        onFailure(error);
      }
      return true;
    },
  };
}
