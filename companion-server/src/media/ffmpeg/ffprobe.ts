// Runs ffprobe and passes on its output, piece by piece. Not through fluent-ffmpeg, whose ffprobe cannot be
// stopped.

import { spawn } from 'node:child_process';
import { EditError, throwIfCanceled } from '../../errors.ts';
import { adoptChild, endChild } from '../../process/children.ts';
import { findProgram } from './binaries.ts';
import { explainFailure, overtime } from './ffmpeg-error.ts';
import { fileUrl, guardedDecodeOptions } from './input-guard.ts';
import { allocationOptions, limitProgram, notRunnableExitCodes, politeEnd, readLimits } from './limited-process.ts';

export interface ProbeRun {
  /** Receives the output as it comes. What it throws ends the run and is thrown. */
  readonly onOutput: (text: string) => void;
  /** How long it may print nothing. */
  readonly silenceMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Characters of ffprobe's error messages that are kept; a damaged clip can have one per frame. */
const stderrTailCharacters = 64 * 1024;

/**
 * Runs ffprobe on the clip `file` with `options`, guarded and limited. Returns its complaints about the file that did not
 * stop it. Throws FfmpegError `clip-unreadable`, EditError `clip-unreadable` when it is silent for too long, `ffmpeg-missing`;
 * CanceledError.
 */
export async function runFfprobe(
  file: string,
  options: readonly string[],
  { onOutput, silenceMs, signal }: ProbeRun,
): Promise<string> {
  const program = await findProgram('ffprobe');
  throwIfCanceled(signal);
  const { command, firstArguments } = limitProgram(program, readLimits);
  const args = ['-v', 'error', ...allocationOptions, ...guardedDecodeOptions, ...options, '-i', fileUrl(file)];
  const child = spawn(command, [...firstArguments, ...args], { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
  let stopped: { readonly cause: unknown } | undefined;
  const stop = (cause?: unknown) => {
    stopped ??= { cause };
    endChild(child, politeEnd);
  };
  const cancel = () => stop();
  adoptChild(child);
  signal?.addEventListener('abort', cancel, { once: true });
  const timer = setTimeout(() => stop(overtime(file, silenceMs)), silenceMs);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrTailCharacters);
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (stopped !== undefined) return;
    timer.refresh();
    try {
      onOutput(text);
    } catch (error) {
      stop(error);
    }
  });
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (error) => reject(notStarted(error)));
      child.once('close', resolve);
    });
    throwIfCanceled(signal);
    if (stopped !== undefined) throw stopped.cause;
    if (exitCode === 0) return stderr;
    if (exitCode !== null && notRunnableExitCodes.includes(exitCode)) {
      throw notStarted(new Error(stderr.trimEnd()));
    }
    const stderrTail = stderr.trimEnd().split('\n').slice(-60).join('\n');
    throw explainFailure('read', file, {
      exitCode,
      stderrTail,
      command: ['ffprobe', ...args].join(' '),
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
  }
}

function notStarted(error: Error): EditError {
  return new EditError('ffmpeg-missing', `ffprobe could not be started: ${error.message}.`, {
    hint: 'Set FFPROBE_PATH to an ffprobe that runs on this machine.',
    cause: error,
  });
}
