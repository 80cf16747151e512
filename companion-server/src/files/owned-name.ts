// Names of temporary files that say which process owns them, so that files left by a killed process can be distinguished
// from files that a living process uses.

import { randomBytes } from 'node:crypto';

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

export function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: there is such a process, of another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
