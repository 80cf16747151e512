// The panel's own log: lines in a file of the panel's data folder. When it grows large it becomes the old one.

import { createTurns } from '../../../../protocol/turns.ts';
import type { Surroundings } from './api.ts';
import { sizeOfFile } from './open-file.ts';

export const logFolderName = 'logs';
const folder = `plugin-data:/${logFolderName}`;
const path = `${folder}/panel.log`;
const oldPath = `${folder}/panel.old.log`;
const maxBytes = 1_000_000;
const maxLineCharacters = 4_000;

/** A function that adds a line and never throws. Lines are written in order; the caller does not wait. */
export function createPanelLog({ fs }: Surroundings): (line: string) => void {
  const turns = createTurns();
  turns.take(() => fs.mkdir(folder, { recursive: true })).catch(ignore);

  async function add(line: string): Promise<void> {
    const sizeBytes = (await sizeOfFile(fs, path)) ?? 0;
    if (sizeBytes > maxBytes) {
      await fs.unlink(oldPath).catch(ignore);
      await fs.rename(path, oldPath).catch(ignore);
    }
    await fs.writeFile(path, line, { encoding: 'utf-8', flag: 'a' });
  }

  return (line) => {
    const text = `${new Date().toISOString()} ${line.slice(0, maxLineCharacters)}\n`;
    turns.take(() => add(text)).catch(ignore);
  };
}

function ignore(): void {
  // A log that cannot be written must not stop the work that it records.
}
