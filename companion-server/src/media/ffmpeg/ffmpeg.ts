// Runs ffmpeg. The only importer of fluent-ffmpeg (archived upstream): to replace it, spawn the same arguments here.

import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import createCommand from 'fluent-ffmpeg';
import { CanceledError, EditError } from '../../errors.ts';
import { adoptChild, endChild } from '../../process/children.ts';
import { findProgram } from './binaries.ts';
import { explainFailure, overtime, type FailedRun, type RunPurpose } from './ffmpeg-error.ts';
import {
  allocationOptions,
  limitProgram,
  notRunnableExitCodes,
  politeEnd,
  readLimits,
  writeLimits,
} from './limited-process.ts';

export interface FfmpegInput {
  /** The argument after `-i`, or a stream for `pipe:0` (at most one). */
  readonly source: string | Readable;
  readonly options: readonly string[];
}

export interface FfmpegTask {
  readonly inputs: readonly FfmpegInput[];
  readonly outputOptions: readonly string[];
  /** A path, overwritten, or a stream that receives stdout. It must be made by `outputPipe`. */
  readonly output: string | Writable;
  /** For the error: were we reading `file` or writing it? */
  readonly purpose: RunPurpose;
  readonly file: string;
  readonly signal: AbortSignal | undefined;
  /** How long the run may take; no limit where its reader or writer sets the pace. */
  readonly timeoutMs?: number;
  /** Receives every line that ffmpeg writes about its work, marked `[info]`, `[error]` and so on. */
  readonly onLogLine?: (line: string) => void;
}

export interface FfmpegProcess {
  /**
   * Settles when the process is gone: rejects with CanceledError after a stop, with `reason` after one that has one,
   * with FfmpegError on failure.
   */
  readonly done: Promise<void>;
  /** Ends the process and waits until it is gone. Never rejects; does nothing after the end. */
  stop(reason?: CanceledError | EditError): Promise<void>;
}

/** fluent-ffmpeg's own field; its `kill` cannot close pipes, and a child blocked on one ignores SIGTERM. */
interface Running {
  readonly ffmpegProc?: ChildProcess;
}

/** Starts ffmpeg. Throws EditError `ffmpeg-missing` and CanceledError when `signal` is aborted already. */
export async function startFfmpeg(task: FfmpegTask): Promise<FfmpegProcess> {
  const program = await findProgram('ffmpeg');
  if (task.signal?.aborted === true) throw new CanceledError();
  const limited = limitProgram(program, task.purpose === 'read' ? readLimits : writeLimits);
  const command = createCommand({ stdoutLines: errorLines });
  command.setFfmpegPath(limited.command);
  const { onLogLine } = task;
  const logLevel = ['-v', onLogLine === undefined ? 'error' : 'level+info'];
  const errors: string[] = [];
  if (onLogLine !== undefined) {
    command.on('stderr', (line: string) => {
      onLogLine(line);
      if (!isErrorLine(line)) return;
      errors.push(line.replace(errorMark, ''));
      if (errors.length > errorLines) errors.shift();
    });
  }
  task.inputs.forEach((input, index) => {
    // The first input's options are the first arguments of all.
    const first = index === 0 ? [...limited.firstArguments, ...general, ...logLevel] : [];
    command.input(input.source).inputOptions([...first, ...input.options]);
  });
  command.outputOptions([...task.outputOptions]).output(task.output);
  trustCapabilities(command);

  let stopped: CanceledError | EditError | undefined;
  const stop = (reason: CanceledError | EditError) => {
    stopped ??= reason;
    const child = (command as Running).ffmpegProc;
    if (child !== undefined) endChild(child, politeEnd);
  };
  const cancel = () => stop(new CanceledError());
  const { timeoutMs } = task;
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => stop(overtime(task.file, timeoutMs)), timeoutMs);
  let commandLine = 'ffmpeg';
  const done = new Promise<void>((resolve, reject) => {
    command.on('start', (line: string) => {
      commandLine = line;
      const child = (command as Running).ffmpegProc;
      if (child === undefined) return;
      // fluent-ffmpeg 2.1.3 throws out of its own listener when the program cannot be started.
      child.removeAllListeners('error');
      child.once('error', (error) => reject(notStarted(error)));
      adoptChild(child);
      if (stopped !== undefined) endChild(child, politeEnd);
    });
    command.on('end', () => (stopped === undefined ? resolve() : reject(stopped)));
    command.on('error', (error: Error, _stdout: unknown, stderr: unknown) => {
      if (stopped !== undefined) reject(stopped);
      else {
        const all = typeof stderr === 'string' ? stderr : '';
        reject(translate(task, error, onLogLine === undefined ? all : errors.join('\n'), commandLine));
      }
    });
    task.signal?.addEventListener('abort', cancel, { once: true });
    command.run();
  }).finally(() => {
    clearTimeout(timer);
    task.signal?.removeEventListener('abort', cancel);
  });
  const settled = done.catch(() => undefined); // Also prevents an unhandled rejection from ending the process.
  return {
    done,
    stop: (reason = new CanceledError()) => {
      stop(reason);
      return settled;
    },
  };
}

const general = ['-hide_banner', '-nostdin', '-nostats', ...allocationOptions];

/** Lines of the log that a failure keeps. */
const errorLines = 60;

const errorMark = /\[(error|fatal|panic)\] /;

/** Whether a line of ffmpeg's log reports an error. The shell's own errors have no mark. */
export function isErrorLine(line: string): boolean {
  return errorMark.test(line) || /^\S*sh: /.test(line);
}

/** Keeps fluent-ffmpeg from starting ffmpeg twice more to list formats and encoders; those runs cannot be stopped. */
function trustCapabilities(command: createCommand.FfmpegCommand): void {
  const noError = null as unknown as Error; // As the package does; its types forget it.
  const anything = new Proxy({}, { has: () => true, get: () => ({ canMux: true, canDemux: true }) });
  command.availableFormats = (callback) => callback(noError, anything);
  command.availableEncoders = (callback) => callback(noError, {});
}

function notStarted(error: Error): EditError {
  return new EditError('ffmpeg-missing', `ffmpeg could not be started: ${error.message}.`, {
    hint: 'Set FFMPEG_PATH to an ffmpeg that runs on this machine.',
    cause: error,
  });
}

function translate(task: FfmpegTask, error: Error, stderrTail: string, command: string): EditError {
  const code = /exited with code (\d+)/.exec(error.message)?.[1];
  const exitCode = code === undefined ? null : Number(code);
  if (exitCode !== null && notRunnableExitCodes.includes(exitCode)) {
    return notStarted(new Error(stderrTail.trimEnd() || error.message));
  }
  const run: FailedRun = {
    exitCode,
    stderrTail: stderrTail.trimEnd(),
    command,
  };
  return explainFailure(task.purpose, task.file, run);
}
