// The server's side of the engine process: starts it when there is an edit to do, keeps it warm for a while, ends it to
// stop an edit, and distinguishes a crash from a failure. The caller decides whether a crashed edit is tried again.

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { EditProgress } from '../../../../protocol/progress.ts';
import { createTurns } from '../../../../protocol/turns.ts';
import { fromWireError } from '../../../../protocol/messages/wire-error.ts';
import { CanceledError, EditError, orCanceled, throwIfCanceled } from '../../errors.ts';
import { adoptChild, endChild } from '../../process/children.ts';
import { watchHeartbeat } from '../../process/heartbeat.ts';
import { heartbeatDescriptor, heartbeatVariable } from '../../process/parent-watch.ts';
import { leadsOwnGroup } from '../../process/process-tree.ts';
import { loaderArguments } from '../../process/typescript-loader.ts';
import type { EditReport } from '../../../../protocol/edit-report.ts';
import type { ResumePoint } from '../run/resume-point.ts';
import type { EditJob, GrowingPicture } from '../run/edit-job.ts';
import type { EditEstimate } from '../estimate/estimate.ts';
import { crashError, explainByFiles, frozenError } from './engine-errors.ts';
import type { EngineEvent, EngineOutcome, EngineRequest, EstimateEnd } from './messages.ts';

/** How long an engine may take to end after SIGTERM before SIGKILL. */
const killGraceMs = 500;
/** How long an estimate may take to stop after a cancel, before its process is ended. */
const defaultEstimateGraceMs = 5_000;
/** How much of the engine's last output is kept for an error message, in characters. */
const stderrTailCharacters = 4_000;
/** How long an engine is kept after its last work: long enough for a look at the result and another try. */
const defaultIdleMs = 5 * 60_000;
/** How often an engine shows that it lives; after five times of silence it is ended. */
const defaultHeartbeatMs = 10_000;

export interface EngineOptions {
  /** The file that the child process runs; it calls `serveEngine`. */
  readonly entry: URL;
  /** Receives what the engine writes to its standard error, in pieces. */
  readonly onStderr?: (text: string) => void;
  /** How long a process without work is kept. Default: 5 minutes. */
  readonly idleMs?: number;
  /** How often a process must show that it lives; after five times of silence it is ended. Default: 10 seconds. */
  readonly heartbeatMs?: number;
  /** How long a canceled estimate may continue before its process is ended. Default: 5 seconds. */
  readonly estimateGraceMs?: number;
}

export interface EditHooks {
  readonly onProgress: (progress: EditProgress) => void;
  /** A step is finished and on the disk: another edit with the same `workDir` continues from here. */
  readonly onResumePoint?: (resumePoint: ResumePoint) => void;
  /** What the edit looks like so far. */
  readonly onPicture?: (picture: GrowingPicture) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface Engine {
  /**
   * Runs one edit; only one at a time. `job.workDir` stays, so that an edit that was stopped or whose process died can
   * continue from its last finished step. Throws CanceledError after everything of the edit has ended, or EditError: the
   * edit's own, or 'engine-crashed'; where a file of its model is gone or was cut, what opening that file would throw.
   */
  edit(job: EditJob, hooks: EditHooks): Promise<EditReport>;
  /**
   * What the edit would take; nothing is written. Takes turns with other estimates, not with edits. Throws EditError;
   * CanceledError at once when `signal` is aborted: one that waits for its turn is never begun, one that runs is ended.
   */
  estimate(job: EditJob, signal?: AbortSignal): Promise<EditEstimate>;
  /** Ends the processes, if there are any, and waits for their end. Running work ends in 'engine-crashed'. */
  close(): Promise<void>;
}

interface EngineProcess {
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
  readonly ended: Promise<EditError>;
}

/** Creates an engine whose processes are started when they are needed: one for edits, a light one for estimates. */
export function createEngine(options: EngineOptions): Engine {
  const editor = createWorker('edits', options);
  const estimator = createWorker('estimates', options);
  let isEditing = false;
  const estimates = createTurns();

  async function estimate(job: EditJob, signal: AbortSignal | undefined): Promise<EditEstimate> {
    throwIfCanceled(signal);
    const outcome = await estimator.ask({ type: 'estimate', job }, { ...silent, signal });
    throwIfCanceled(signal);
    return expectOutcome('estimated', outcome).estimate;
  }

  return {
    async edit(job, hooks) {
      throwIfCanceled(hooks.signal);
      if (isEditing) throw new Error('The engine does one edit at a time.');
      isEditing = true;
      try {
        const outcome = await editor.ask({ type: 'edit', job }, hooks);
        throwIfCanceled(hooks.signal);
        return expectOutcome('done', outcome).report;
      } catch (error) {
        throw await explainByFiles(error, job);
      } finally {
        isEditing = false;
      }
    },
    estimate(job, signal) {
      return orCanceled(
        estimates.take(() => estimate(job, signal)),
        signal,
      );
    },
    async close() {
      await Promise.all([editor.close(), estimator.close()]);
    },
  };
}

const silent: EditHooks = { onProgress: () => undefined };

/** A process that answers one request after the other. */
interface Worker {
  /**
   * Throws EditError 'engine-crashed'. A cancel of an edit ends its process, and then throws CanceledError. A cancel of an
   * estimate only asks the process to stop it, so that the process stays warm for the next estimate.
   */
  ask(request: EngineRequest, hooks: EditHooks): Promise<EngineOutcome>;
  close(): Promise<void>;
}

/** `purpose` is shown in the system's list of processes. */
function createWorker(purpose: 'edits' | 'estimates', options: EngineOptions): Worker {
  const { entry, onStderr = () => undefined } = options;
  const { idleMs = defaultIdleMs, heartbeatMs = defaultHeartbeatMs } = options;
  const { estimateGraceMs = defaultEstimateGraceMs } = options;
  let running: EngineProcess | undefined;
  let idle: NodeJS.Timeout | undefined;

  function start(): EngineProcess {
    const started = startProcess(entry, purpose, onStderr, heartbeatMs);
    void started.ended.then(() => {
      if (running === started) running = undefined;
    });
    return started;
  }

  async function close(): Promise<void> {
    clearTimeout(idle);
    const ending = running;
    // A request that comes meanwhile gets a process of its own.
    running = undefined;
    if (ending !== undefined) await end(ending);
  }

  return {
    close,
    async ask(request, hooks) {
      const { signal } = hooks;
      clearTimeout(idle);
      const engine = (running ??= start());
      const course = { isAsked: false, isEnding: false };
      const endProcess = (): void => {
        course.isEnding = true;
        void end(engine);
      };
      let grace: NodeJS.Timeout | undefined;
      const cancel = (): void => {
        if (request.type === 'edit') {
          endProcess();
          return;
        }
        // A process that is starting is of use to the next one.
        if (!course.isAsked) return;
        const message: EstimateEnd = { type: 'end-estimate' };
        engine.child.send(message, () => undefined);
        grace = setTimeout(endProcess, estimateGraceMs);
      };
      signal?.addEventListener('abort', cancel);
      try {
        const crash = engine.ended.then((error) => Promise.reject(error));
        crash.catch(() => undefined);
        await Promise.race([engine.ready, crash]);
        throwIfCanceled(signal);
        course.isAsked = true;
        return await Promise.race([ask(engine.child, request, hooks), crash]);
      } catch (error) {
        throwIfCanceled(signal);
        throw error;
      } finally {
        signal?.removeEventListener('abort', cancel);
        clearTimeout(grace);
        // A cancel that meets the outcome half-way still ends the process: wait, so that it is not used again.
        if (course.isEnding) await engine.ended;
        idle = setTimeout(() => void close(), idleMs).unref();
      }
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

function startProcess(
  entry: URL,
  purpose: string,
  onStderr: (text: string) => void,
  heartbeatMs: number,
): EngineProcess {
  const program = fileURLToPath(entry);
  const child = fork(program, [purpose], {
    execArgv: loaderArguments(program),
    detached: leadsOwnGroup,
    serialization: 'advanced',
    // Nothing is written to the pipe of its standard input: when the pipe closes, the engine knows that this process ended.
    stdio: ['pipe', 'ignore', 'pipe', 'ipc', 'pipe'],
    env: { ...process.env, [heartbeatVariable]: String(heartbeatMs) },
  });
  adoptChild(child, 'tree');
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
  let isFrozen = false;
  // A process that could not be started because there were no free file handles has no pipes.
  const pipes = child.stdio as typeof child.stdio | undefined;
  const stopWatch = watchHeartbeat(pipes?.[heartbeatDescriptor], heartbeatMs, () => {
    isFrozen = true;
    endChild(child, { graceMs: 0, reach: 'tree' });
  });
  const ended = endOf(child).then((ending) => {
    stopWatch();
    return isFrozen ? frozenError(heartbeatMs) : crashError(ending, stderrTail);
  });
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
  { onProgress, onPicture = () => undefined, onResumePoint = () => undefined }: EditHooks,
): Promise<EngineOutcome> {
  return new Promise((resolve) => {
    const onEvent = (event: EngineEvent): void => {
      if (event.type === 'ready') return;
      if (event.type === 'progress') {
        onProgress(event.progress);
        return;
      }
      if (event.type === 'picture') {
        onPicture(event.picture);
        return;
      }
      if (event.type === 'resume-point') {
        onResumePoint(event.resumePoint);
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

async function end({ child, ended }: EngineProcess): Promise<void> {
  endChild(child, { graceMs: killGraceMs, reach: 'tree' });
  await ended;
}
