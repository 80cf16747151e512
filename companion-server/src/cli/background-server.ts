// The server of this user as a process of its own: whether it runs, starting it, ending it.

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { integer, nullable, object, parse, text, type Infer } from '../../../protocol/fields.ts';
import { dataDirOf, type Environment } from '../app/config.ts';
import { CanceledError, EditError } from '../errors.ts';
import { isAlive } from '../files/owned-name.ts';
import { askLocally } from '../local-request.ts';
import type { ProgramStart } from '../installation/places.ts';
import { findServer as findNoted, type ServerFile } from './server-file.ts';
import { askServer } from './server-requests.ts';

const status = object({
  version: text({ max: 200 }),
  processId: integer(1, 2 ** 32),
  model: nullable(text({ max: 1_000 })),
});

export interface RunningFacts extends Infer<typeof status> {
  readonly file: ServerFile;
}

const pollMs = 100;
/** A server that is busy answers within a fraction of it. */
const answerMs = 5_000;
const startTimeoutMs = 60_000;
/** From the request to end until the process is killed. */
const stopTimeoutMs = 2_500;

/** The server of this user that runs and answers; null when there is none. */
export async function findServer(env: Environment): Promise<RunningFacts | null> {
  const file = await findNoted(dataDirOf(env));
  if (file === null) return null;
  try {
    const answer = await askLocally(new URL('/status', file.url), { token: file.token, timeoutMs: answerMs });
    return answer.status === 200 ? { ...parse(status, JSON.parse(answer.body), 'answer'), file } : null;
  } catch {
    // It has ended since.
    return null;
  }
}

export interface StartOptions {
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly program: ProgramStart;
  /** Of the command `serve`. */
  readonly options?: readonly string[];
}

/**
 * Starts a server that outlives this process, and waits until it answers. Throws EditError 'internal' with the server's own last
 * words when it ends instead, or does not answer within a minute.
 */
export async function startInBackground({ env, signal, program, options = [] }: StartOptions): Promise<RunningFacts> {
  const { child, outputFile } = launchServer({ env, program, options });
  const until = Date.now() + startTimeoutMs;
  while (Date.now() < until) {
    const hasEnded = child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
    // Also when ours has ended: another one was faster.
    const found = await findServer(env);
    if (found !== null) return found;
    if (hasEnded) throw startError('The companion server ended at its start.', outputFile);
    try {
      await delay(pollMs, undefined, { signal });
    } catch {
      throw new CanceledError({ kept: 'The server goes on starting.' });
    }
  }
  throw startError(`The companion server does not answer after ${startTimeoutMs / 1_000} seconds.`, outputFile);
}

/** Starts a server and does not wait. */
export function launchServer({ env, program, options = [] }: Omit<StartOptions, 'signal'>): {
  readonly child: ChildProcess;
  readonly outputFile: string;
} {
  const logs = join(dataDirOf(env), 'logs');
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const outputFile = join(logs, 'start.log');
  const output = openSync(outputFile, 'w', 0o600);
  try {
    const child = spawn(program.command, [...program.firstArguments, 'serve', '--no-open', ...options], {
      env: { ...env },
      detached: true,
      stdio: ['ignore', output, output],
      windowsHide: true,
    });
    // That it could not be started is told by its missing process id.
    child.on('error', () => undefined);
    child.unref();
    return { child, outputFile };
  } finally {
    closeSync(output);
  }
}

function startError(message: string, outputFile: string): EditError {
  const lines = readFileSync(outputFile, 'utf8').trim().split('\n');
  return new EditError('internal', `${message} Its last words: ${lines.slice(-3).join(' ').slice(-600)}`, {
    hint: `All of them are in ${outputFile}.`,
  });
}

/** Asks the server to end and waits for its end; kills it when it takes too long. Returns within three seconds. */
export async function stopServer({ file, processId }: RunningFacts): Promise<'ended' | 'killed'> {
  const until = Date.now() + stopTimeoutMs;
  await askServer(file, '/stop', 'POST', () => undefined).catch((error: unknown) => {
    if (!(error instanceof EditError)) throw error;
  });
  while (Date.now() < until) {
    if (!isAlive(processId)) return 'ended';
    await delay(pollMs);
  }
  try {
    process.kill(processId, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return 'ended';
  }
  return 'killed';
}
