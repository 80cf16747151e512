// Does one job after the other, as the store hands them out. A write can fail (a full disk) and is then tried again,
// because an outcome must not be lost. A cancel or a pause is written to the store, and the store notifies the running
// work.

import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { isOutcome } from '../../../protocol/job.ts';
import { CanceledError, EditError } from '../errors.ts';
import { toClientError, toEditError } from '../wire-error.ts';
import type { JobExecutor, JobHooks, JobOutcome, JobPicture } from './executor.ts';
import type { JobChange } from './job.ts';
import type { JobRow, JobStore } from './store.ts';

/** How often work is tried that fails because a shared resource, such as file handles, is used up for the moment. */
const maxTries = 30;

export interface RunnerOptions {
  readonly store: JobStore;
  readonly executor: Pick<JobExecutor, 'run' | 'tidy' | 'discard'>;
  /** Called with what a running job looks like. */
  readonly onPicture: (row: JobRow, picture: JobPicture) => void;
  /** Called at every failure, with the error as it was thrown. */
  readonly onFailure: (jobId: string | null, error: unknown) => void;
  /** How long to wait before a write is tried again that has failed. */
  readonly retryMs: number;
}

export interface Runner {
  /** Looks for a job soon, if none is running. When a job enters the queue, this happens automatically. */
  wake(): void;
  /** Stops the work on this job, if it is being done, and waits until nothing of it runs. */
  stop(jobId: string): Promise<void>;
  /** Stops the current work and returns its job to the queue; no other work is started. */
  close(): Promise<void>;
}

interface CurrentJob {
  readonly jobId: string;
  readonly canceler: AbortController;
  /** Its outcome is being written: no change ends its work any more. */
  isOver: boolean;
}

export function createRunner({ store, executor, onPicture, onFailure, retryMs }: RunnerOptions): Runner {
  const closing = new AbortController();
  let current: CurrentJob | undefined;
  /** When the work of the current job is over. */
  let ended: Promise<void> = Promise.resolve();
  let loop: Promise<void> | undefined;
  /** Whether there may be a new job in the queue. */
  let isWoken = false;

  const isClosing = (): boolean => closing.signal.aborted;

  const unsubscribe = store.subscribe(({ row }) => {
    const { state } = row.job;
    if (row.jobId === current?.jobId && state !== 'running' && !current.isOver) current.canceler.abort();
    if (state === 'queued') wake();
  });

  function wake(): void {
    isWoken = true;
    loop ??= runAll();
  }

  /** Repeats `write` until it succeeds or the server stops; then the job is found running at the next start. */
  async function persist<T>(jobId: string | null, write: () => Promise<T>): Promise<T | undefined> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        onFailure(jobId, error);
        if (isClosing()) return undefined;
        await delay(retryMs, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  }

  /** Temporary failures (no free file handles for a moment) are retried, a limited number of times. */
  async function runPatiently(row: JobRow, hooks: JobHooks): Promise<JobOutcome> {
    for (let tries = 1; ; tries++) {
      try {
        return await executor.run(row, hooks);
      } catch (error) {
        const isPassing = toEditError(error).code === 'limit-reached';
        if (!isPassing || tries >= maxTries || hooks.signal.aborted) throw error;
        onFailure(row.jobId, error);
        await delay(retryMs, undefined, { signal: hooks.signal }).catch(() => undefined);
      }
    }
  }

  async function outcomeOf(row: JobRow, signal: AbortSignal): Promise<JobChange | null> {
    const { jobId } = row;
    let reported: Promise<unknown> = Promise.resolve();
    /** A report that cannot be written does not end the work: the next one replaces it. */
    const report = (change: JobChange): void => {
      const written = store.change(jobId, change).catch((error: unknown) => onFailure(jobId, error));
      reported = reported.then(() => written);
    };
    try {
      const { report: edit, result } = await runPatiently(row, {
        signal,
        onProgress: (progress) => report({ type: 'progress', progress }),
        onPicture: (picture) => onPicture(row, picture),
        onStep: () => report({ type: 'step' }),
      });
      return { type: 'finish', report: edit, result };
    } catch (error) {
      // The change that stopped the work is written already, with its reason.
      if (signal.aborted) return null;
      if (error instanceof CanceledError) return { type: 'cancel' };
      onFailure(jobId, error);
      const isCrash = error instanceof EditError && error.code === 'engine-crashed';
      return { type: isCrash ? 'engine-died' : 'fail', error: toClientError(error) };
    } finally {
      await reported;
    }
  }

  /** The job's work has stopped, for any reason. */
  async function tidyUp(jobId: string): Promise<void> {
    const state = (await store.get(jobId))?.job.state;
    if (state === 'done') await executor.tidy(jobId);
    else if (state === undefined || isOutcome(state)) await executor.discard(jobId);
  }

  async function runOne(row: JobRow): Promise<void> {
    const { jobId } = row;
    const own: CurrentJob = { jobId, canceler: new AbortController(), isOver: false };
    current = own;
    try {
      const { signal } = own.canceler;
      // It may have been stopped before anybody listened to its events, or while it is read.
      const kept = await persist(jobId, () => store.get(jobId));
      const outcome = kept?.job.state === 'running' && !signal.aborted ? await outcomeOf(row, signal) : null;
      own.isOver = true;
      if (outcome !== null) {
        const written = await persist(jobId, () => store.change(jobId, outcome));
        if (written === undefined && isClosing()) await giveBack(jobId);
      }
      await tidyUp(jobId);
    } catch (error) {
      onFailure(jobId, error);
    } finally {
      current = undefined;
    }
  }

  async function runAll(): Promise<void> {
    while (isWoken && !isClosing()) {
      // The request that has just queued a job is answered first.
      await turn();
      isWoken = false;
      if (isClosing()) break;
      const row = await persist(null, () => store.claimNext());
      if (row === undefined) continue;
      if (isClosing()) {
        await giveBack(row.jobId);
        break;
      }
      ended = runOne(row);
      await ended;
      isWoken = true;
    }
    loop = undefined;
  }

  /** A full disk must not keep the server from ending: the next server finds the job running, and continues it. */
  async function giveBack(jobId: string): Promise<void> {
    try {
      await store.change(jobId, { type: 'stop' });
    } catch (error) {
      onFailure(jobId, error);
    }
  }

  return {
    wake,
    async stop(jobId) {
      if (current?.jobId !== jobId) return;
      current.canceler.abort();
      await ended;
    },
    async close() {
      closing.abort();
      unsubscribe();
      const own = current;
      own?.canceler.abort();
      if (own?.isOver === false) await giveBack(own.jobId);
      await loop;
    },
  };
}
