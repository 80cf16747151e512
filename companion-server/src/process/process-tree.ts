// Signals to a process and to everything it started (the engine and its ffmpeg).

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';

/** Whether a process is started as the leader of its own group, so that the group can be signalled. */
export const leadsOwnGroup = process.platform !== 'win32';

/** Longest time that a program which ends a tree gets. A tree is ended in a fraction of it. */
const treeProgramMs = 3_000;

/**
 * Signals the process and its children. The process must have been started with `detached: leadsOwnGroup`. On Windows,
 * which has no such signals, the tree is ended by force. A tree that has already ended is left alone.
 */
export function signalProcessTree(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return;
  if (!leadsOwnGroup) {
    endTreeByProgram(child, taskkill(child.pid));
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The same at the exit of this process, where nothing can be waited for that takes turns of the event loop. */
export function killProcessTreeAtExit(child: ChildProcess): void {
  if (child.pid === undefined) return;
  if (leadsOwnGroup) {
    signalProcessTree(child, 'SIGKILL');
    return;
  }
  const [program, ...args] = taskkill(child.pid);
  spawnSync(program, args, { stdio: 'ignore', windowsHide: true, timeout: treeProgramMs });
  child.kill('SIGKILL');
}

export type Program = readonly [name: string, ...args: string[]];

function taskkill(pid: number): Program {
  return ['taskkill', '/pid', String(pid), '/t', '/f'];
}

/**
 * Runs a program that ends the tree. If it cannot be started, fails or hangs, at least the process itself is killed: what
 * the process had started then finds its pipes closed. A process that has ended is left alone.
 */
export function endTreeByProgram(child: ChildProcess, [name, ...args]: Program, timeoutMs = treeProgramMs): void {
  const program = spawn(name, args, { stdio: 'ignore', windowsHide: true, timeout: timeoutMs, killSignal: 'SIGKILL' });
  const fallBack = (): void => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  };
  program.once('error', fallBack);
  program.once('exit', (code) => {
    if (code !== 0) fallBack();
  });
}
