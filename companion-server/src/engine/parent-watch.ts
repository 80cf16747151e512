// Ends this process when its parent has gone, even while its main thread computes and can notice nothing.

import { Worker } from 'node:worker_threads';
import { leadsOwnGroup } from './process-tree.ts';

/**
 * Standard input is a pipe that the parent never writes to: its end means that the parent has ended. A thread
 * of its own waits for that and kills the process with its children. It is plain JavaScript because a second
 * TypeScript loader would cost every start of the engine a quarter of a second.
 */
const watchCode = `
  const { Socket } = require('node:net');
  const end = () => process.kill(${leadsOwnGroup ? '-process.pid' : 'process.pid'}, 'SIGKILL');
  new Socket({ fd: 0, readable: true, writable: false }).resume().on('error', end).on('close', end);
`;

/** Call once. The parent must have started this process with a pipe as its standard input. */
export function endWithParent(): void {
  new Worker(watchCode, { eval: true, execArgv: [] }).unref();
}
