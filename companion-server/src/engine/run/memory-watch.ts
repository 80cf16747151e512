// The peak memory of this process while an edit ran: its private memory, and its mapped files. Each session maps the
// weights itself, and the resident size counts such a page once per session, but the page is in memory only once.

import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

export interface PeakMemory {
  /** Private memory. On systems that do not report it separately: the highest resident size. */
  readonly privateBytes: number;
  /** Pages of mapped files, each counted once; null if the system does not report them. */
  readonly mappedBytes: number | null;
}

export interface MemoryWatch {
  /** Since the watch began. */
  peak(): PeakMemory;
  /** Ends the watch; `peak` must not be called after this. */
  stop(): Promise<void>;
}

const statusFile = '/proc/self/status';
const rollupFile = '/proc/self/smaps_rollup';
/** Time between two readings; a short forward takes as long. A separate thread reads, because the main thread computes. */
const gapMs = 20;
/** Mapped pages stay as long as their session, and counting them is slow, so they are read less often. */
const gapsPerRollup = 100;

/**
 * Plain JavaScript, because a second TypeScript loader would cost every edit a quarter of a second. A file that cannot be
 * read, as outside Linux, leaves zeros.
 */
const watchCode = `
  const { readFileSync } = require('node:fs');
  const { workerData } = require('node:worker_threads');
  const peak = new Float64Array(workerData.shared);
  const sum = (file, names) => {
    let text = '';
    try { text = readFileSync(file, 'latin1'); } catch { return 0; }
    return names.reduce((total, name) => {
      const found = new RegExp('^' + name + ':\\\\s*(\\\\d+) kB', 'm').exec(text);
      return total + (found === null ? 0 : 1024 * Number(found[1]));
    }, 0);
  };
  let gaps = 0;
  const look = () => {
    peak[0] = Math.max(peak[0], sum(workerData.statusFile, ['RssAnon', 'RssShmem']));
    if (gaps++ % workerData.gapsPerRollup === 0) peak[1] = Math.max(peak[1], sum(workerData.rollupFile, ['Pss_File']));
  };
  look();
  setInterval(look, workerData.gapMs);
`;

/** Looks from now on until it is stopped. */
export function watchMemory(): MemoryWatch {
  const shared = new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT);
  const peak = new Float64Array(shared);
  const worker = new Worker(watchCode, {
    eval: true,
    execArgv: [],
    workerData: { shared, statusFile, rollupFile, gapMs, gapsPerRollup },
  });
  worker.unref();
  return {
    peak() {
      const [seenPrivate = 0, seenMapped = 0] = peak;
      const privateBytes = Math.max(seenPrivate, kilobytes(statusFile, 'RssAnon'));
      if (privateBytes === 0) {
        return { privateBytes: process.resourceUsage().maxRSS * 1024, mappedBytes: null };
      }
      const mappedBytes = Math.max(seenMapped, kilobytes(rollupFile, 'Pss_File'));
      return { privateBytes, mappedBytes: mappedBytes === 0 ? null : mappedBytes };
    },
    async stop() {
      await worker.terminate();
    },
  };
}

/** Bytes; 0 where the system has no such file or line. */
function kilobytes(file: string, name: string): number {
  try {
    const [, found = '0'] = new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(readFileSync(file, 'latin1')) ?? [];
    return 1024 * Number(found);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return 0;
    throw error;
  }
}
