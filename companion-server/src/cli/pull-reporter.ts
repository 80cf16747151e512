// What `models pull` shows while it runs: one line that changes on a terminal, a line for each tenth elsewhere, JSON
// for machines.

import type { PullProgress } from '../models/pull.ts';
import { formatDuration } from './edit-text.ts';
import type { ModelsRequest } from './commands/models-request.ts';
import { createRateMeter } from '../models/rate-meter.ts';

/** A terminal is written to no more often. */
const redrawMs = 100;
const clearLine = '\r\x1b[K';

export interface PullReporter {
  progress(progress: PullProgress): void;
  /** Reports that the hub is asked again, after a failure. */
  retry(message: string, delayMs: number): void;
  /** Leaves the terminal clean. */
  end(): void;
}

export function createPullReporter(
  { context: { stdout, stderr }, isJson }: Pick<ModelsRequest, 'context' | 'isJson'>,
  title: string,
  now: () => number = () => performance.now(),
): PullReporter {
  const meter = createRateMeter();
  let lastShownMs = -Infinity;
  let lastTenth = -1;
  let isLineShown = false;
  const clear = (): void => {
    if (isLineShown) stderr.write(clearLine);
    isLineShown = false;
  };
  return {
    progress(progress) {
      const { doneBytes, totalBytes } = progress;
      const atMs = now();
      const bytesPerSecond = meter(doneBytes, atMs);
      const tenth = Math.floor((doneBytes / totalBytes) * 10);
      const isLast = doneBytes === totalBytes;
      const isTerminal = stderr.isTTY && !isJson;
      if (isTerminal ? atMs - lastShownMs < redrawMs && !isLast : tenth === lastTenth) return;
      lastShownMs = atMs;
      lastTenth = tenth;
      if (isJson) {
        stdout.write(`${JSON.stringify({ type: 'progress', ...progress, bytesPerSecond })}\n`);
        return;
      }
      const line = formatPull(title, progress, bytesPerSecond);
      if (!isTerminal) {
        stderr.write(`${line}\n`);
        return;
      }
      stderr.write(clearLine + line.slice(0, stderr.columns - 1));
      isLineShown = true;
    },
    retry(message, delayMs) {
      if (isJson) return;
      clear();
      stderr.write(`${message} Trying again in ${Math.ceil(delayMs / 1000)} s.\n`);
    },
    end: clear,
  };
}

/** For example `Stable Diffusion 1.5   43 %  0.92 of 2.13 GB  11.4 MB/s  1:46 left  unet/config.json`. */
export function formatPull(
  title: string,
  { path, doneBytes, totalBytes }: PullProgress,
  bytesPerSecond: number | null,
): string {
  const share = `${Math.floor((doneBytes / totalBytes) * 100)} %`.padStart(5);
  const [unit, size] = totalBytes >= 1e9 ? (['GB', 1e9] as const) : (['MB', 1e6] as const);
  const amount = `${(doneBytes / size).toFixed(2)} of ${(totalBytes / size).toFixed(2)} ${unit}`;
  const rate = bytesPerSecond === null ? [] : [`${(bytesPerSecond / 1e6).toFixed(1)} MB/s`];
  const left =
    bytesPerSecond === null || bytesPerSecond === 0
      ? []
      : [`${formatDuration((totalBytes - doneBytes) / bytesPerSecond)} left`];
  return [`${title} ${share}`, amount, ...rate, ...left, path].join('  ');
}
