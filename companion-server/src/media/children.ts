// Child processes that must not outlive us: stopped politely, then by force, and with us when we exit.

import type { ChildProcess } from 'node:child_process';

/** How long a process may take to end by itself before it is killed. */
const politeMs = 2_000;

const alive = new Set<ChildProcess>();

function killAll(): void {
  for (const child of alive) child.kill('SIGKILL');
}

/** Makes `child` die with this process. Call once, right after the spawn. */
export function adoptChild(child: ChildProcess): void {
  if (alive.size === 0) process.on('exit', killAll);
  alive.add(child);
  const release = () => {
    alive.delete(child);
    if (alive.size === 0) process.off('exit', killAll);
  };
  child.once('exit', release);
  child.once('error', release);
}

/** Asks `child` to end, and kills it if it has not within two seconds. Returns at once. */
export function stopChild(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  // A process that is blocked on a full or an empty pipe sees no signal until the pipe closes.
  child.stdin?.destroy();
  child.stdout?.destroy();
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), politeMs);
  child.once('exit', () => clearTimeout(force));
}
