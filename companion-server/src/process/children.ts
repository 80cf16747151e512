// Child processes that must not outlive this process: asked to end, then killed, and killed when this process exits.

import type { ChildProcess } from 'node:child_process';
import { killProcessTreeAtExit, signalProcessTree } from './process-tree.ts';

/**
 * Which processes are meant: only the child, or also everything that it has started. For `tree` the child must be started
 * with `detached: leadsOwnGroup`.
 */
export type Reach = 'child' | 'tree';

const adopted = new Map<ChildProcess, Reach>();

function killAll(): void {
  for (const [child, reach] of adopted) {
    if (reach === 'tree') killProcessTreeAtExit(child);
    else child.kill('SIGKILL');
  }
}

/**
 * Makes the child die with this process. In a tree, the processes that it started die with it: they would hold the child's
 * pipes open. Call once, right after the start.
 */
export function adoptChild(child: ChildProcess, reach: Reach = 'child'): void {
  // Before the removal of its files (exit-cleanup.ts), or it would write more of them.
  if (adopted.size === 0) process.prependListener('exit', killAll);
  adopted.set(child, reach);
  const release = (): void => {
    adopted.delete(child);
    if (adopted.size === 0) process.off('exit', killAll);
  };
  child.once('exit', () => {
    if (reach === 'tree') signal(child, 'SIGKILL', reach);
    release();
  });
  child.on('error', () => {
    if (child.pid === undefined) release();
  });
}

export interface EndOptions {
  /** Milliseconds from the request to end until the child is killed; 0 kills at once. */
  readonly graceMs: number;
  /** Default: the child alone. */
  readonly reach?: Reach;
  /**
   * Whether our ends of its standard input and output are closed first. A process that waits at a full or an empty pipe
   * sees no request until the pipe closes; but one that takes the end of its input for our end would not end politely.
   */
  readonly closesPipes?: boolean;
}

/** Asks a child to end, and kills it if it has not within the grace time. Returns at once; does nothing after its end. */
export function endChild(child: ChildProcess, { graceMs, reach = 'child', closesPipes = false }: EndOptions): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  if (closesPipes) {
    child.stdin?.destroy();
    child.stdout?.destroy();
  }
  if (graceMs === 0) {
    signal(child, 'SIGKILL', reach);
    return;
  }
  signal(child, 'SIGTERM', reach);
  const force = setTimeout(() => signal(child, 'SIGKILL', reach), graceMs);
  child.once('exit', () => clearTimeout(force));
}

function signal(child: ChildProcess, name: 'SIGTERM' | 'SIGKILL', reach: Reach): void {
  if (reach === 'tree') signalProcessTree(child, name);
  else child.kill(name);
}
