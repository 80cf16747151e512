// The server's side of the engine process: starts it when there is an edit to do, keeps it warm between
// edits, ends it to cancel one, and tells a crash from a failure.

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { EditProgress } from '../../../protocol/progress.ts';
import { CanceledError, EditError, throwIfCanceled } from '../errors.ts';
import { fromWireError } from '../wire-error.ts';
import type { EditReport } from '../../../protocol/edit-report.ts';
import type { EditJob } from './edit-job.ts';
import type { EditEstimate } from './estimate.ts';
import type { EngineEvent, EngineOutcome, EngineRequest } from './messages.ts';
import { killProcessTree, leadsOwnGroup } from './process-tree.ts';
import { typeScriptLoader } from './typescript-loader.ts';

/** How long an engine may take to end after SIGTERM before SIGKILL. */
const killGraceMs = 500;
/** How much of the engine's last words is kept for an error message, in characters. */
const stderrTailCharacters = 4_000;

export interface EngineOptions {
  /** The file that the child process runs; it calls `serveEngine`. */
  readonly entry: URL;
  /** Receives what the engine writes to its standard error, in pieces. */
  readonly onStderr?: (text: string) => void;
}

export interface EditHooks {
  readonly onProgress: (progress: EditProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface Engine {
  /**
   * Runs one edit; only one at a time. Removes `job.workDir` at the end, and `job.outputPath` unless the edit
   * succeeded. An edit whose process dies goes on once from its last finished step; progress may then repeat a
   * little. Throws CanceledError, or EditError: the edit's own, or 'engine-crashed'.
   */
  edit(job: EditJob, hooks: EditHooks): Promise<EditReport>;
  /** What the edit would take; nothing is written. Not while an edit runs. Throws EditError. */
  estimate(job: EditJob): Promise<EditEstimate>;
  /** Ends the engine process, if there is one, and waits for its end. A running edit is canceled. */
  close(): Promise<void>;
}

interface JobHooks extends EditHooks {
  readonly onCheckpoint: () => void;
}

interface EngineProcess {
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
  readonly ended: Promise<EditError>;
}

/** Creates an engine whose process is started by the first edit. */
export function createEngine({ entry, onStderr = () => undefined }: EngineOptions): Engine {
  let running: EngineProcess | undefined;
  let isBusy = false;

  function start(): EngineProcess {
    const started = startProcess(entry, onStderr);
    const killAtExit = (): void => signalTree(started.child, 'SIGKILL');
    // Before the removal of its files, or it would write more of them.
    process.prependOnceListener('exit', killAtExit);
    void started.ended.then(() => {
      process.off('exit', killAtExit);
      if (running === started) running = undefined;
    });
    return started;
  }

  async function runOnce(request: EngineRequest, hooks: JobHooks): Promise<EngineOutcome> {
    const { signal } = hooks;
    const engine = (running ??= start());
    const cancel = (): void => void end(engine);
    signal?.addEventListener('abort', cancel);
    try {
      const crash = engine.ended.then((error) => Promise.reject(error));
      crash.catch(() => undefined);
      await Promise.race([engine.ready, crash]);
      return await Promise.race([ask(engine.child, request, hooks), crash]);
    } catch (error) {
      throwIfCanceled(signal);
      throw error;
    } finally {
      signal?.removeEventListener('abort', cancel);
      // A cancel that meets the outcome half-way still ends the process: wait, so that it is not used again.
      if (signal?.aborted === true) await engine.ended;
    }
  }

  /** An edit whose process dies after it has finished a step goes on from there, once. */
  async function runJob(job: EditJob, hooks: EditHooks): Promise<EngineOutcome> {
    let checkpoints = 0;
    const counting = { ...hooks, onCheckpoint: () => checkpoints++ };
    try {
      return await runOnce({ type: 'edit', job }, counting);
    } catch (error) {
      const isCrash = error instanceof EditError && error.code === 'engine-crashed';
      if (!isCrash || checkpoints === 0) throw error;
      return await runOnce({ type: 'edit', job }, counting);
    }
  }

  async function alone<T>(work: () => Promise<T>): Promise<T> {
    if (isBusy) throw new Error('The engine does one thing at a time.');
    isBusy = true;
    try {
      return await work();
    } finally {
      isBusy = false;
    }
  }

  async function edit(job: EditJob, hooks: EditHooks): Promise<EditReport> {
    let isDone = false;
    try {
      const outcome = expectOutcome('done', await runJob(job, hooks));
      throwIfCanceled(hooks.signal);
      isDone = true;
      return outcome.report;
    } finally {
      await rm(job.workDir, { recursive: true, force: true, maxRetries: 3 });
      if (!isDone) await rm(job.outputPath, { force: true });
    }
  }

  return {
    async edit(job, hooks) {
      throwIfCanceled(hooks.signal);
      return alone(() => edit(job, hooks));
    },
    async estimate(job) {
      const silent = { onProgress: () => undefined, onCheckpoint: () => undefined };
      const outcome = await alone(() => runOnce({ type: 'estimate', job }, silent));
      return expectOutcome('estimated', outcome).estimate;
    },
    async close() {
      if (running !== undefined) await end(running);
    },
  };
}

/** The outcome that was asked for. Throws CanceledError or the edit's own EditError instead. */
function expectOutcome<Type extends 'done' | 'estimated'>(
  type: Type,
  outcome: EngineOutcome,
): Extract<EngineOutcome, { type: Type }> {
  if (outcome.type === 'canceled') throw new CanceledError();
  if (outcome.type === 'failed') throw fromWireError(outcome.error);
  if (outcome.type !== type) throw new Error(`The engine answered ${outcome.type}, not ${type}.`);
  return outcome as Extract<EngineOutcome, { type: Type }>;
}

function startProcess(entry: URL, onStderr: (text: string) => void): EngineProcess {
  const child = fork(fileURLToPath(entry), [], {
    execArgv: ['--import', typeScriptLoader()],
    detached: leadsOwnGroup,
    serialization: 'advanced',
    // The pipe to its standard input stays silent: its end tells the engine that this process has gone.
    stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
  });
  // The engine may be gone before its pipe is closed.
  child.stdin?.on('error', () => undefined);
  let stderrTail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderrTail = (stderrTail + text).slice(-stderrTailCharacters);
    onStderr(text);
  });
  const ready = new Promise<void>((resolve) => {
    child.on('message', (event: EngineEvent) => {
      if (event.type === 'ready') resolve();
    });
  });
  // What it started may outlive it, and would hold its standard error open.
  child.once('exit', () => signalTree(child, 'SIGKILL'));
  const ended = endOf(child).then((ending) => crashError(ending, stderrTail));
  return { child, ready, ended };
}

/** How the process ended, in words. A process that could not be started has ended as well. */
async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [exitCode, signal] = (await once(child, 'close')) as [number | null, string | null];
    return signal === null ? `with exit code ${exitCode ?? 'unknown'}` : `by ${signal}`;
  } catch (error) {
    return `before it started (${error instanceof Error ? error.message : String(error)})`;
  }
}

function ask(
  child: ChildProcess,
  request: EngineRequest,
  { onProgress, onCheckpoint }: JobHooks,
): Promise<EngineOutcome> {
  return new Promise((resolve) => {
    const onEvent = (event: EngineEvent): void => {
      if (event.type === 'ready') return;
      if (event.type === 'progress') {
        onProgress(event.progress);
        return;
      }
      if (event.type === 'checkpoint') {
        onCheckpoint();
        return;
      }
      child.off('message', onEvent);
      resolve(event);
    };
    child.on('message', onEvent);
    // A send that fails means that the child has ended, which `ended` reports.
    child.send(request, () => undefined);
  });
}

async function end(engine: EngineProcess): Promise<void> {
  signalTree(engine.child, 'SIGTERM');
  const force = setTimeout(() => signalTree(engine.child, 'SIGKILL'), killGraceMs);
  await engine.ended;
  clearTimeout(force);
}

function signalTree(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid !== undefined) killProcessTree(child.pid, signal);
}

function crashError(ending: string, stderrTail: string): EditError {
  const lastLine = stderrTail.trimEnd().split('\n').at(-1) ?? '';
  const hint =
    ending === 'by SIGKILL'
      ? 'The system may have ended it for want of memory: try a smaller size, or close other programs.'
      : 'Try again; if it happens again, report it with the log.';
  const lastWords = lastLine === '' ? '' : ` Its last words: ${lastLine.slice(0, 300)}`;
  return new EditError('engine-crashed', `The engine process ended ${ending}.${lastWords}`, {
    hint,
    cause: new Error(stderrTail),
  });
}
