// Does one job after the other. What the next one is and what becomes of it is written by the caller; this file knows
// only that a write can fail (a full disk) and is then tried again, because an outcome must not be lost.

import { setTimeout as delay } from 'node:timers/promises';
import { CanceledError, EditError } from '../errors.ts';
import { toClientError, toEditError } from '../wire-error.ts';
import type { JobChange } from './job.ts';
import type { JobRecord } from './job-table.ts';
import type { JobHooks, JobOutcome } from './work.ts';

/** How often work is begun that fails for want of something that others give back, such as file handles. */
const maxTries = 30;

export interface RunnerOptions {
  /** The next job, which is marked as running when this returns; undefined when none waits. */
  readonly claim: () => JobRecord | undefined;
  /** Does the job. Throws CanceledError once `signal` is aborted, anything else when it fails. */
  readonly run: (record: JobRecord, hooks: JobHooks) => Promise<JobOutcome>;
  /** Writes what happened to the job. */
  readonly change: (jobId: string, change: JobChange) => void;
  /** The job's work has stopped, for whatever reason. */
  readonly onStopped: (jobId: string) => Promise<void>;
  /** Told of every failure, with the error as it was thrown. */
  readonly onFailure: (jobId: string | null, error: unknown) => void;
  /** How long to wait before a write is tried again that has failed. */
  readonly retryMs: number;
}

export interface Runner {
  /** Looks for a job, soon, if none is being done. Call whenever one may have come. */
  wake(): void;
  /** Stops the work on this job, if it is being done, and waits until nothing of it runs. */
  stop(jobId: string): Promise<void>;
  /** The job whose work runs or is being stopped. */
  current(): string | undefined;
  /** Stops the work that is being done; no other is begun. */
  close(): Promise<void>;
}

export function createRunner({ claim, run, change, onStopped, onFailure, retryMs }: RunnerOptions): Runner {
  const closing = new AbortController();
  let current: { readonly jobId: string; readonly canceler: AbortController } | undefined;
  let loop: Promise<void> | undefined;
  /** Whether there may be a job that has not been looked for. */
  let isWoken = false;
  let ended: Promise<void> = Promise.resolve();

  /** Repeats `write` until it succeeds or the server stops; then the job is found running at the next start. */
  async function persist<T>(jobId: string | null, write: () => T): Promise<T | undefined> {
    for (;;) {
      try {
        return write();
      } catch (error) {
        onFailure(jobId, error);
        if (closing.signal.aborted) return undefined;
        await delay(retryMs, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  }

  /** What passes by itself (no more file handles, for a moment) is waited for, some times. */
  async function runPatiently(record: JobRecord, hooks: JobHooks): Promise<JobOutcome> {
    for (let tries = 1; ; tries++) {
      try {
        return await run(record, hooks);
      } catch (error) {
        const isPassing = toEditError(error).code === 'limit-reached';
        if (!isPassing || tries >= maxTries || hooks.signal.aborted) throw error;
        onFailure(record.jobId, error);
        await delay(retryMs, undefined, { signal: hooks.signal }).catch(() => undefined);
      }
    }
  }

  async function outcomeOf(record: JobRecord, signal: AbortSignal): Promise<JobChange | null> {
    const { jobId } = record;
    try {
      const { report, result } = await runPatiently(record, {
        signal,
        onProgress: (progress) => change(jobId, { type: 'progress', progress }),
        onStep() {
          try {
            change(jobId, { type: 'step' });
          } catch (error) {
            // It says only that the server is not to blame: the next step says it again.
            onFailure(jobId, error);
          }
        },
      });
      return { type: 'finish', report, result };
    } catch (error) {
      // Whoever stopped the work has written why.
      if (signal.aborted) return null;
      if (error instanceof CanceledError) return { type: 'cancel' };
      onFailure(jobId, error);
      const isCrash = error instanceof EditError && error.code === 'engine-crashed';
      return { type: isCrash ? 'engine-died' : 'fail', error: toClientError(error) };
    }
  }

  async function runOne(record: JobRecord): Promise<void> {
    const { jobId } = record;
    const canceler = new AbortController();
    current = { jobId, canceler };
    try {
      const outcome = await outcomeOf(record, canceler.signal);
      if (outcome !== null) await persist(jobId, () => change(jobId, outcome));
      await onStopped(jobId);
    } catch (error) {
      onFailure(jobId, error);
    } finally {
      current = undefined;
    }
  }

  async function runAll(): Promise<void> {
    while (isWoken && !closing.signal.aborted) {
      // Whoever has just queued a job answers first.
      await Promise.resolve();
      isWoken = false;
      const record = await persist(null, claim);
      if (record === undefined) continue;
      ended = runOne(record);
      await ended;
      isWoken = true;
    }
    loop = undefined;
  }

  async function stop(jobId: string): Promise<void> {
    if (current?.jobId !== jobId) return;
    current.canceler.abort();
    await ended;
  }

  return {
    wake() {
      isWoken = true;
      loop ??= runAll();
    },
    stop,
    current: () => current?.jobId,
    async close() {
      closing.abort();
      current?.canceler.abort();
      await loop;
    },
  };
}
