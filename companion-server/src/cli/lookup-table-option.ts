// The option that names a lookup table for the colours that the model is shown.

import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { lookupTableClip, parseCube, tableLimits, type LookupTableName } from '../../../protocol/lookup-table.ts';
import { EditError } from '../errors.ts';
import type { ClipTable } from '../media/probe/clip-info.ts';
import type { Options } from './options.ts';

export const lookupTableOptions = {
  lut: {
    kind: 'text',
    placeholder: 'FILE',
    help: 'The model is shown the clip through this lookup table, a .cube file: for log footage, the one that makes it look right. The change is carried back into the codes of the clip.',
  },
} as const satisfies Options;

/** The table in a .cube file. Throws EditError('invalid-request') that names the option, or what is wrong in the file. */
export async function readLookupTableFile(file: string): Promise<ClipTable> {
  return (await readBoth(file)).table;
}

/** The same as the settings name it, with the clip of one frame to send, which is written into `folder`; null for none. */
export async function readLookupTableOption(
  file: string | undefined,
  folder: () => Promise<string>,
): Promise<{ readonly lookupTable: LookupTableName; readonly path: string } | null> {
  if (file === undefined) return null;
  const { table, clip } = await readBoth(file);
  const path = join(await folder(), 'lookup-table.y4m');
  await writeFile(path, clip, { mode: 0o600 });
  return { lookupTable: { sha256: table.sha256 }, path };
}

async function readBoth(file: string): Promise<{ readonly table: ClipTable; readonly clip: Uint8Array }> {
  const path = resolve(file);
  const table = parseCube(await readText(path), basename(path));
  const clip = lookupTableClip(table);
  return { table: { ...table, sha256: createHash('sha256').update(clip).digest('hex') }, clip };
}

/** Too long a file is not read: `parseCube` would refuse it. */
async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= tableLimits.characters) return await readFile(path, 'latin1');
  } catch (error) {
    throw new EditError('invalid-request', `--lut names a file that cannot be read: ${path}.`, { cause: error });
  }
  throw new EditError('invalid-request', `--lut may name a file of ${tableLimits.characters} bytes at most: ${path}.`, {
    hint: 'Save the lookup table with 33 points a side.',
  });
}
