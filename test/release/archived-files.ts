// The files of an archive that is not run here.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ArchivedFile } from '../../companion-server/src/archives/archived-file.ts';
import { readZip } from '../../companion-server/src/archives/zip.ts';
import { must } from './checks.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
export const { version } = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8')) as {
  readonly version: string;
};
const top = 'TokenFlow/';

/** Makes the archive, a ZIP, and returns its path. */
export function makeZip(target: 'mac-arm64' | 'win-arm64'): string {
  execFileSync('npm', ['run', '--silent', 'release', '--', '--target', target], { cwd: repository, stdio: 'inherit' });
  return path.join(repository, 'dist', 'release', `tokenflow-${version}-${target}.zip`);
}

/** By their names in the folder TokenFlow. Throws an Error for a file outside of it. */
export function filesOfZip(archive: string): ReadonlyMap<string, ArchivedFile> {
  const files = new Map<string, ArchivedFile>();
  for (const file of readZip(readFileSync(archive))) {
    must(file.name.startsWith(top), `${file.name} is not in the folder ${top}`);
    files.set(file.name.slice(top.length), file);
  }
  return files;
}

/** Throws an Error when two names are one to a file system that knows neither case nor forms of accents. */
export function refuseSameNames(names: Iterable<string>): void {
  const forms = [...names].map((name) => name.normalize('NFD').toLowerCase());
  must(new Set(forms).size === forms.length, 'Two names are one there.');
}
