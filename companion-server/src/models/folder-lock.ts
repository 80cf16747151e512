// One process at a time works on a model's download. The lock of a process that has ended counts for nothing.

import { open, readFile, rm } from 'node:fs/promises';
import { EditError } from '../errors.ts';

/**
 * Takes the lock while `work` runs. Throws EditError 'invalid-request' that says `who` when another process has it.
 * @param who what the process that has it is doing, as a sentence without its end
 */
export async function withLock<T>(path: string, who: string, work: () => Promise<T>): Promise<T> {
  await take(path, who);
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string, who: string): Promise<void> {
  for (;;) {
    try {
      const handle = await open(path, 'wx');
      await handle.writeFile(String(process.pid)).finally(() => handle.close());
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const owner = Number(await readFile(path, 'utf8').catch(() => ''));
    if (isAlive(owner)) {
      throw new EditError('invalid-request', `${who} (process ${owner}).`, {
        hint: `Wait until it is done. If there is no such process any more, delete ${path}.`,
      });
    }
    await rm(path, { force: true });
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
