// Whether the program runs from a release, the folder that a downloaded archive holds, and what is where in it. A checkout of
// the source is none.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of models, pages and bundles: in a release `app`, in a checkout the repository. */
const programFolder = fileURLToPath(new URL('../..', import.meta.url));

export interface Release {
  readonly version: string;
  /** For which system it was made, for example `linux-x64`. */
  readonly target: string;
  /** Absolute: the folder with the script that starts the program. */
  readonly folder: string;
}

/** The release that this program is part of, or null. */
export function ownRelease(): Release | null {
  return readRelease(path.join(programFolder, '..'));
}

/** The release in `folder`, absolute; null when there is none. Throws SyntaxError when its description is damaged. */
export function readRelease(folder: string): Release | null {
  const file = path.join(folder, 'app', 'release.json');
  if (!existsSync(file)) return null;
  const { version, target } = JSON.parse(readFileSync(file, 'utf8')) as Omit<Release, 'folder'>;
  return { version, target, folder: path.resolve(folder) };
}

/** The absolute path of a program that comes with the release; null in a checkout. */
export function releaseProgram(
  name: 'node' | 'ffmpeg' | 'ffprobe',
  release: Release | null = ownRelease(),
): string | null {
  if (release === null) return null;
  return path.join(release.folder, 'runtime', process.platform === 'win32' ? `${name}.exe` : name);
}

/** The panel for Premiere as a package; null in a checkout. */
export function releasePanel(release: Release | null = ownRelease()): string | null {
  return release === null ? null : path.join(release.folder, 'app', 'tokenflow.ccx');
}
