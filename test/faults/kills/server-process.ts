// A companion server as a process of its own, on a data folder that outlives it, and the engine processes below it.

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const entry = fileURLToPath(new URL('../../../companion-server/src/main.ts', import.meta.url));
const engineEntry = fileURLToPath(new URL('../../../companion-server/src/engine/worker/process.ts', import.meta.url));
const startTimeoutMs = 60_000;
const run = promisify(execFile);

/** A finished step, as the server's log tells it. */
export interface LoggedStep {
  readonly stage: 'invert' | 'edit';
  readonly step: number;
}

export interface ServerProcess {
  readonly pid: number;
  /** The steps that its engines have finished, in order; grows. */
  readonly steps: readonly LoggedStep[];
  /** Everything that it wrote to its standard error. */
  log(): string;
  /** Ends it as a loss of power would, and waits for its end. */
  kill(): Promise<void>;
  /** Asks it to end, and waits for its end. Returns the exit code. */
  stop(): Promise<number | null>;
}

export interface ServerPlace {
  readonly folder: string;
  readonly port: number;
}

/** The home folder of the server's user. */
export function homeIn(folder: string): string {
  return join(folder, 'home');
}

/** Resolves when the server listens. */
export async function startServerProcess({ folder, port }: ServerPlace): Promise<ServerProcess> {
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), entry, 'serve', '--port', `${port}`, '--log', 'debug'],
    {
      env: {
        ...process.env,
        // No models but those of the run.
        HOME: homeIn(folder),
        USERPROFILE: homeIn(folder),
        TOKENFLOW_CACHE: join(folder, 'cache'),
        TOKENFLOW_DATA: join(folder, 'data'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const steps: LoggedStep[] = [];
  let log = '';
  let line = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-1_000_000);
    const lines = (line + text).split('\n');
    line = lines.pop() ?? '';
    for (const whole of lines) {
      const found = /A step is finished\..* stage="(invert|edit)" step=(\d+)/.exec(whole);
      if (found !== null) {
        steps.push({ stage: found[1] === 'edit' ? 'edit' : 'invert', step: Number(found[2]) });
      }
    }
  });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  await listening(child, () => log);
  return {
    pid: child.pid ?? 0,
    steps,
    log: () => log,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

async function listening(child: ChildProcess, log: () => string): Promise<void> {
  const heard = new EventEmitter();
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    if (text.includes('listens on')) heard.emit('listening');
  });
  const failed = once(child, 'exit').then(() => {
    throw new Error(`The server ended before it listened:\n${log()}`);
  });
  const timeout = AbortSignal.timeout(startTimeoutMs);
  await Promise.race([once(heard, 'listening', { signal: timeout }), failed]);
  failed.catch(() => undefined);
}

/** The process that edits below the server; undefined while there is none. */
export async function findEngine(serverPid: number): Promise<number | undefined> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,args=']);
  for (const row of stdout.split('\n')) {
    const found = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row);
    if (found === null || Number(found[2]) !== serverPid) continue;
    if (found[3]?.trim().endsWith(`${engineEntry} edits`) === true) return Number(found[1]);
  }
  return undefined;
}

/** Resolves when there is no such process any more. */
export async function gone(pid: number | undefined): Promise<void> {
  while (pid !== undefined && isThere(pid)) await nextTurn();
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
