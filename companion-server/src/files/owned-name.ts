// Names of temporary files that say which process owns them, so that files left by a killed process can be distinguished
// from files that a living process uses.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

const ownedName = /(\d+)-[0-9a-f]{8}$/;

/** A new name for this process: its id, and a random part against ids that are used again. */
export function createOwnedName(): string {
  return `${process.pid}-${randomBytes(4).toString('hex')}`;
}

/** Whether a name ends in an owned name whose process has ended. */
export function isOwnerGone(name: string): boolean {
  const pid = ownedName.exec(name)?.[1];
  return pid !== undefined && !isAlive(Number(pid));
}

/** A process that has ended, and whose parent has not asked for its end yet, is not alive. */
export function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
  } catch (error) {
    // EPERM: there is such a process, of another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !isZombie(processId);
}

/** Linux says it (proc(5), /proc/pid/stat): the state is behind the name, which may have any characters. */
function isZombie(processId: number): boolean {
  if (process.platform !== 'linux') return false;
  try {
    return /\) [ZX] [^)]*$/.test(readFileSync(`/proc/${processId}/stat`, 'utf8'));
  } catch {
    // It ended between the two questions, or /proc is not there: the answer of the first holds.
    return false;
  }
}
