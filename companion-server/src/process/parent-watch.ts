// Ends this process when its parent has gone, and shows the parent that it lives, even while its main thread computes and
// can notice nothing.

import { Worker } from 'node:worker_threads';
import { leadsOwnGroup } from './process-tree.ts';

/**
 * Standard input is a pipe that the parent never writes to: its end means that the parent has ended. A thread
 * of its own waits for that and kills the process with its children. It is plain JavaScript because a second
 * TypeScript loader would cost every start of the engine a quarter of a second.
 */
const watchCode = `
  const { Socket } = require('node:net');
  const { writeSync } = require('node:fs');
  const { workerData } = require('node:worker_threads');
  // A pipe that the parent does not read for a while is full: it has seen enough beats then. Any other failure means
  // silence, which is what the parent listens for; the next beat tries again.
  const beat = () => { try { writeSync(workerData.descriptor, '.'); } catch {} };
  if (workerData !== null) { beat(); setInterval(beat, workerData.intervalMs); }
  const end = () => process.kill(${leadsOwnGroup ? '-process.pid' : 'process.pid'}, 'SIGKILL');
  new Socket({ fd: 0, readable: true, writable: false }).resume().on('error', end).on('close', end);
`;

/** The environment variable by which a parent asks for a sign of life every so many milliseconds, and the pipe for it. */
export const heartbeatVariable = 'TOKENFLOW_HEARTBEAT_MS';
export const heartbeatDescriptor = 4;

/** Call once. The parent must have started this process with a pipe as its standard input. */
export function endWithParent(): void {
  const asked = process.env[heartbeatVariable];
  // What this process starts has no such pipe: another file may have its number there.
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the name is a constant
  delete process.env[heartbeatVariable];
  const workerData = asked === undefined ? null : { descriptor: heartbeatDescriptor, intervalMs: Number(asked) };
  new Worker(watchCode, { eval: true, execArgv: [], workerData }).unref();
}
