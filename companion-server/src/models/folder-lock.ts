// One process at a time works on a model's download. Everybody leaves a file of their own and then looks who else is
// there: two that come together may both go away again, but never both stay. A killed process's file counts for
// nothing, and can be deleted without a race because no other process will ever have its name.

import { randomBytes } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EditError } from '../errors.ts';

/**
 * Holds the lock while `work` runs. Throws EditError 'invalid-request' that says `who` when another process has it.
 * @param path where the lock's files lie: their names begin with this one
 * @param who what the process that has it is doing, as a sentence without its end
 */
export async function withLock<T>(path: string, who: string, work: () => Promise<T>): Promise<T> {
  const mine = `${path}-${process.pid}-${randomBytes(6).toString('hex')}`;
  await writeFile(mine, '', { flag: 'wx' });
  try {
    await refuseOthers(path, mine, who);
    return await work();
  } finally {
    await rm(mine, { force: true });
  }
}

async function refuseOthers(path: string, mine: string, who: string): Promise<void> {
  const dir = dirname(path);
  for (const name of await readdir(dir)) {
    const other = join(dir, name);
    if (!name.startsWith(`${basename(path)}-`) || other === mine) continue;
    const owner = Number(/-(\d+)-[0-9a-f]{12}$/.exec(name)?.[1]);
    if (isAlive(owner)) {
      throw new EditError('invalid-request', `${who} (process ${owner}).`, {
        hint: `Wait until it is done. If there is no such process any more, delete ${other}.`,
      });
    }
    await rm(other, { force: true });
  }
}

function isAlive(processId: number): boolean {
  if (!Number.isInteger(processId) || processId <= 0) return false;
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, under another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
