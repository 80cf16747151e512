// The folders that the user has added to the places, in a file of the models folder. Only the command line changes them.

import { existsSync, readFileSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { EditError } from '../../errors.ts';
import { explainingDisk } from '../../files/disk-error.ts';
import { writeWhole } from '../../files/write-whole.ts';
import { typed } from '../../typed-command.ts';

const fileName = 'folders.json';
const maxFolders = 100;

/** Absolute paths, in the order in which they were added. Throws EditError 'model-damaged' when the list cannot be read. */
export function readAddedFolders(modelsDir: string): readonly string[] {
  const path = join(modelsDir, fileName);
  if (!existsSync(path)) return [];
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (!Array.isArray(value)) throw new Error('must be a list of folders');
    return value.map((folder: unknown) => {
      if (typeof folder !== 'string' || !isAbsolute(folder)) throw new Error('a folder must be a whole path');
      return folder;
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EditError('model-damaged', `${path}: ${reason}.`, {
      hint: `Delete the file, and add the folders again with ${typed('models folders add DIR')}.`,
      cause: error,
    });
  }
}

/**
 * Adds a folder; one that is there already stays once. Returns its absolute path. Throws EditError 'invalid-request' for
 * what is no folder.
 */
export async function addFolder(modelsDir: string, dir: string): Promise<string> {
  const absolute = resolve(dir);
  const isFolder = await stat(absolute).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (!isFolder) {
    throw new EditError('invalid-request', `There is no folder ${absolute}.`, {
      hint: `Name the folder of the program, or the one with the files. A single model: ${typed('models add PATH')}`,
    });
  }
  const folders = readAddedFolders(modelsDir);
  if (folders.includes(absolute)) return absolute;
  if (folders.length >= maxFolders) {
    throw new EditError('limit-reached', `At most ${maxFolders} folders can be added.`, {
      hint: 'Remove one, or add a folder that has the others in it.',
    });
  }
  await write(modelsDir, [...folders, absolute]);
  return absolute;
}

/** Forgets a folder, and leaves it as it is. Throws EditError 'invalid-request' when it was not added. */
export async function removeFolder(modelsDir: string, dir: string): Promise<string> {
  const absolute = resolve(dir);
  const folders = readAddedFolders(modelsDir);
  if (!folders.includes(absolute)) {
    throw new EditError('invalid-request', `The folder ${absolute} was not added.`, {
      hint: folders.length === 0 ? 'No folder was added.' : `Added are ${folders.join(', ')}.`,
    });
  }
  await write(
    modelsDir,
    folders.filter((folder) => folder !== absolute),
  );
  return absolute;
}

async function write(modelsDir: string, folders: readonly string[]): Promise<void> {
  await explainingDisk(modelsDir, {}, () => mkdir(modelsDir, { recursive: true }));
  await writeWhole(join(modelsDir, fileName), `${JSON.stringify(folders, null, 2)}\n`);
}
