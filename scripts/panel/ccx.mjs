// Packs a built panel into a .ccx, which is a ZIP with another name. The same files give the same bytes: names are
// sorted, times are fixed, and no field depends on the machine.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { zipSync } from 'fflate';

/** The first time that a ZIP can hold, in local time as a ZIP has it. */
const mtime = new Date(1980, 0, 1);

/**
 * Every file says that it comes from Unix (3) and is a regular file that all may read. Adobe's installer uses the permissions
 * of a ZIP from Unix; with none the installation fails without a message (status -160).
 */
const unixFile = { os: 3, attrs: (0o100644 << 16) >>> 0 };

/** The bytes of a .ccx with everything below `folder`, without source maps. */
export function packCcx(folder) {
  const names = listFiles(folder).filter((name) => !name.endsWith('.map'));
  const files = names.map((name) => [name, readFileSync(path.join(folder, name))]);
  return Buffer.from(zipSync(Object.fromEntries(files), { level: 9, mtime, ...unixFile }));
}

/** Paths below `folder` with forward slashes, in the order of their bytes. */
export function listFiles(folder, below = '') {
  const entries = readdirSync(path.join(folder, below), { withFileTypes: true });
  return entries
    .flatMap((entry) => {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      return entry.isDirectory() ? listFiles(folder, name) : [name];
    })
    .sort((a, b) => (a < b ? -1 : 1));
}
