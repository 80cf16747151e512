// The file that the companion server leaves for the panels of its user, in its data folder; companion-server/src/app/config.ts
// says where that is. A panel in UXP knows no environment variables, so it looks at the usual place only.

import { parseServerNote, serverNoteName, type ServerNote } from '../../../../protocol/identity.ts';
import type { Surroundings } from './api.ts';
import { joinPath } from './open-file.ts';

/**
 * A reader of the file. It gives null where the file is missing, is a link, or cannot be read as such a file; the log says
 * why, once for each reason. It is never rejected.
 */
export function createNoteReader(
  { fs, home, platform }: Pick<Surroundings, 'fs' | 'home' | 'platform'>,
  log: (line: string) => void,
): () => Promise<ServerNote | null> {
  let lastReason = '';
  return async () => {
    if (home === null) return null;
    const path = joinPath(home, ...dataFolderOf(platform), serverNoteName);
    try {
      const found = await fs.lstat(path);
      // Whoever could put a link there could choose what is behind it.
      if (found.isSymbolicLink?.() === true) throw new Error('it is a link');
      const text = await fs.readFile(path, { encoding: 'utf-8' });
      if (typeof text !== 'string') throw new Error('it is no text');
      const note = parseServerNote(text);
      lastReason = '';
      return note;
    } catch (error) {
      const reason = String(error);
      if (reason !== lastReason) log(`The server's file was not read: ${reason}`);
      lastReason = reason;
      return null;
    }
  };
}

/** The server's data folder below the user's home, where no variable moves it. `platform` as UXP names it. */
function dataFolderOf(platform: string): readonly string[] {
  if (platform.startsWith('win')) return ['AppData', 'Local', 'tokenflow', 'data'];
  if (platform === 'darwin') return ['Library', 'Application Support', 'tokenflow'];
  return ['.local', 'share', 'tokenflow'];
}
