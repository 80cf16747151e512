// Runs ffprobe and returns what it prints. Not through fluent-ffmpeg, whose ffprobe cannot be stopped.

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { EditError, throwIfCanceled } from '../errors.ts';
import { findProgram } from './binaries.ts';
import { adoptChild, stopChild } from './children.ts';
import { explainFailure } from './ffmpeg-error.ts';
import { fileUrl, guardedInputOptions } from './input-guard.ts';

export interface ProbeOutput {
  readonly stdout: string;
  /** Complaints about the file that did not stop ffprobe. */
  readonly stderr: string;
}

/**
 * Runs ffprobe on the clip `file` with `options`, guarded. Throws FfmpegError `clip-unreadable`, EditError
 * `ffmpeg-missing`, CanceledError.
 */
export async function runFfprobe(
  file: string,
  options: readonly string[],
  signal?: AbortSignal,
): Promise<ProbeOutput> {
  const program = await findProgram('ffprobe');
  throwIfCanceled(signal);
  const args = ['-v', 'error', ...guardedInputOptions, ...options, '-i', fileUrl(file)];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
  const stop = () => stopChild(child);
  adoptChild(child);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const exited = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    // A stopped child's stdout is destroyed under its reader: only the exit counts then.
    const [exitCode, stdout, stderr] = await Promise.all([
      exited,
      text(child.stdout).catch(() => ''),
      text(child.stderr).catch(() => ''),
    ]);
    throwIfCanceled(signal);
    if (exitCode === 0) return { stdout, stderr };
    const stderrTail = stderr.trimEnd().split('\n').slice(-60).join('\n');
    const command = ['ffprobe', ...args].join(' ');
    throw explainFailure('read', file, { exitCode, stderrTail, command });
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new EditError('ffmpeg-missing', `ffprobe could not be started: ${error.message}.`, {
      hint: 'Set FFPROBE_PATH to an ffprobe that runs on this machine.',
      cause: error,
    });
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
