// A failed ffmpeg or ffprobe run, in three layers: one line for the user, the tail of stderr, the command.

import { EditError } from '../../errors.ts';
import type { ErrorCode } from '../../../../protocol/error-codes.ts';

export interface FailedRun {
  /** The exit code, or null when a signal ended the process. */
  readonly exitCode: number | null;
  /** The last lines of stderr. */
  readonly stderrTail: string;
  /** The command line as one would type it. */
  readonly command: string;
}

/** ffmpeg or ffprobe ran and failed. `message` is one line; `stderrTail` and `command` are for the log. */
export class FfmpegError extends EditError {
  override readonly name: string = 'FfmpegError';
  readonly exitCode: number | null;
  readonly stderrTail: string;
  readonly command: string;

  constructor(code: ErrorCode, message: string, run: FailedRun, options: { hint?: string } = {}) {
    super(code, message, options);
    this.exitCode = run.exitCode;
    this.stderrTail = run.stderrTail;
    this.command = run.command;
  }
}

/** What to do where a result cannot be written, whether FFmpeg says so or the system. */
export const outputAdvice = {
  whenFull: 'Free some space or choose another folder, then start the edit again.',
  whenRefused: 'Choose a folder that exists and that you may write to.',
};

/** The purpose of the run: it decides whether bad data is a fault of the clip. */
export type RunPurpose = 'read' | 'write';

const diskFull = /no space left on device|disk quota exceeded|not enough space on the disk/i;
/** An encoder was built without the pixel format, as x265 is without 10 bits in some builds. */
const noSuchFormat = /do not have a common format|pixel format \S+ is invalid or not supported/i;
const unwritable = /permission denied|read-only file system|operation not permitted/i;

/** Finds the cause in ffmpeg's messages. `file` is the clip that was read or the file that was written. */
export function explainFailure(purpose: RunPurpose, file: string, run: FailedRun): FfmpegError {
  const reason = lastReason(run);
  if (diskFull.test(run.stderrTail)) {
    return new FfmpegError('disk-full', `Cannot write "${file}": the disk is full.`, run, {
      hint: outputAdvice.whenFull,
    });
  }
  if (run.exitCode === null && run.stderrTail === '') {
    return new FfmpegError('ffmpeg-failed', `FFmpeg crashed while it worked on "${file}".`, run, {
      hint: 'Install a current FFmpeg (https://ffmpeg.org/download.html); the one on PATH is used.',
    });
  }
  if (purpose === 'read') {
    return new FfmpegError('clip-unreadable', `Cannot read "${file}" as video: ${reason}`, run, {
      hint: 'Check that the file plays; export or copy it again, or convert it to MP4 or MOV.',
    });
  }
  if (unwritable.test(run.stderrTail)) {
    return new FfmpegError('output-unwritable', `Cannot write "${file}": ${reason}`, run, {
      hint: outputAdvice.whenRefused,
    });
  }
  if (noSuchFormat.test(run.stderrTail)) {
    const message = `This FFmpeg cannot write "${file}": its encoder lacks the bits or the sampling of the codec.`;
    return new FfmpegError('ffmpeg-failed', message, run, {
      hint: 'Choose another codec, for instance ProRes, or install another FFmpeg (https://ffmpeg.org/download.html).',
    });
  }
  return new FfmpegError('ffmpeg-failed', `ffmpeg could not write "${file}": ${reason}`, run, {
    hint: 'Choose the other codec; if it still fails, install a current FFmpeg (https://ffmpeg.org/download.html).',
  });
}

/** Lines that end FFmpeg's report without a reason. */
const saysNothing = /^$|^Conversion failed!$|^Last message repeated \d+ times?$/;

/** The last line of stderr without ffmpeg's `[part @ 0x...]` prefixes: the nearest thing to a cause. */
function lastReason(run: FailedRun): string {
  const lines = run.stderrTail
    .split(/\r?\n/)
    .map((line) => line.replace(/^(\[[^\]]* @ [^\]]*\] )+/, '').trim())
    .filter((line) => !saysNothing.test(line));
  return lines.at(-1)?.slice(0, 300) ?? `exit code ${run.exitCode ?? 'unknown'}.`;
}

/** A clip that keeps ffmpeg or ffprobe busy for longer than any normal clip. */
export function overtime(file: string, limitMs: number): EditError {
  return new EditError('clip-unreadable', `"${file}" could not be read within ${Math.round(limitMs / 1000)} seconds.`, {
    hint: 'If the clip plays elsewhere, copy it to a faster disk, or convert it to MP4 or MOV.',
  });
}
