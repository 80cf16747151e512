// How a command is typed: `npm run models -- pull ID` in a checkout of the source, `tokenflow models pull ID` in an installed
// program. Every text that names a command gets it from here.

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { ownRelease } from './release.ts';

/** The name of the program of a release on the PATH. */
const programName = 'tokenflow';

/** How the program of a release is called in a terminal that does not find it by its name, in a form that a shell understands. */
export const programPlaces = {
  win32: '"%LOCALAPPDATA%\\Programs\\TokenFlow\\TokenFlow.cmd"',
  darwin: '~/Applications/TokenFlow.app/Contents/Resources/tokenflow',
  linux: '~/.local/bin/tokenflow',
} as const;

/** `null`: a checkout. */
let program: string | null | undefined;

/**
 * `words`, a command with its arguments, as the user types it: `typed('models pull ID')`. The same for the whole life of the
 * process.
 */
export function typed(words: string): string {
  if (program === undefined) program = ownRelease() === null ? null : nameInTerminal();
  return program === null ? typedInCheckout(words) : `${program} ${words}`;
}

/** The command as a checkout has it: `start` and `serve` are npm's own `start`. */
export function typedInCheckout(words: string): string {
  const [name = '', ...rest] = words.split(' ');
  const script = name === 'start' || name === 'serve' ? 'npm start' : `npm run ${name}`;
  return rest.length === 0 ? script : `${script} -- ${rest.join(' ')}`;
}

/** The name alone where a folder of the PATH has the program, otherwise its place. */
export function nameInTerminal(
  platform: NodeJS.Platform = process.platform,
  searchPath: string = process.env['PATH'] ?? '',
  home: string = homedir(),
): string {
  if (platform === 'win32') {
    const isThere = (folder: string): boolean => existsSync(path.win32.join(folder, `${programName}.cmd`));
    return searchPath.split(';').some((folder) => folder !== '' && isThere(folder)) ? programName : programPlaces.win32;
  }
  const isThere = (folder: string): boolean =>
    existsSync(path.posix.join(folder.replace(/^~(?=\/)/, home), programName));
  const isFound = searchPath.split(':').some((folder) => folder !== '' && isThere(folder));
  if (isFound) return programName;
  return platform === 'darwin' ? programPlaces.darwin : programPlaces.linux;
}
