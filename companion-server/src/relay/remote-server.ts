// The other machine whose server does the work of this one: what is known of it, in a file that only this user can read.

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { object, parse, text, type Infer } from '../../../protocol/fields.ts';
import { writeWhole } from '../files/write-whole.ts';

const fileName = 'remote.json';

const remoteServer = object({
  /** For example `https://render-box:47864`. */
  url: text({ min: 1, max: 300 }),
  /** PEM: the only certificate that this server may have. */
  certificate: text({ min: 1, max: 20_000 }),
  /** Of the pairing there. */
  token: text({ min: 1, max: 200 }),
});
export type RemoteServer = Infer<typeof remoteServer>;

/** Null when this server does its work itself. Throws FieldError or SyntaxError when the file is damaged. */
export async function readRemoteServer(dataDir: string): Promise<RemoteServer | null> {
  try {
    return parse(remoteServer, JSON.parse(await readFile(join(dataDir, fileName), 'utf8')), fileName);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** `dataDir` must exist. */
export function writeRemoteServer(dataDir: string, server: RemoteServer): Promise<void> {
  return writeWhole(join(dataDir, fileName), `${JSON.stringify(server)}\n`, {}, { mode: 0o600 });
}

export function removeRemoteServer(dataDir: string): Promise<void> {
  return rm(join(dataDir, fileName), { force: true });
}
