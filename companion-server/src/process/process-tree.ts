// Signals to a process and to everything it started (the engine and its ffmpeg).

import { spawn } from 'node:child_process';

/** Whether a process is started as the leader of its own group, so that the group can be signalled. */
export const leadsOwnGroup = process.platform !== 'win32';

/**
 * Signals the process `pid` and its children. The process must have been started with
 * `detached: leadsOwnGroup`. On Windows, which has no such signals, the tree is ended by force. A tree that
 * has already ended is left alone.
 */
export function signalProcessTree(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (!leadsOwnGroup) {
    spawn('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore', windowsHide: true });
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
