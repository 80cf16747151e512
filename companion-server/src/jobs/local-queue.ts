// The queue whose jobs this process does, one after the other. The store keeps the jobs. This file checks their owners,
// notifies listeners, and deletes the files of a job together with it.

import { randomBytes } from 'node:crypto';
import type { JobView, QueuePosition } from '../../../protocol/job.ts';
import { maxJobs, maxWaitingJobs } from '../../../protocol/limits.ts';
import { listen } from './observers.ts';
import type { JobListener, JobQueue, JobQueueOptions } from './queue.ts';
import { watchPositions } from './queue-positions.ts';
import { createRunner } from './runner.ts';
import { refusals, type JobRow, type JobStore } from './store.ts';
import { toJobView } from './view.ts';

export interface LocalQueueOptions extends JobQueueOptions {
  /** Queues of several processes may stand on one store if it gives a job to one of them at a time. */
  readonly store: JobStore;
  /** Whether this process does jobs; else the others do that use the store. Default: true. */
  readonly doesJobs?: boolean;
  readonly now?: () => Date;
  /** How long to wait before a write is tried again that has failed. Default: 2 seconds. */
  readonly retryMs?: number;
}

/** Loads the jobs of the store and continues them. */
export async function openLocalQueue({
  store,
  executor,
  onFailure = () => undefined,
  doesJobs = true,
  now = () => new Date(),
  retryMs = 2_000,
}: LocalQueueOptions): Promise<JobQueue> {
  const listeners = new Map<string, Set<JobListener>>();
  const removals = new Set<Promise<void>>();

  const listenersOf = (owner: string): readonly JobListener[] => [...(listeners.get(owner) ?? [])];

  const positions = await watchPositions({
    queue: () => store.queue(),
    tell(owner, moved: readonly QueuePosition[]) {
      for (const listener of listenersOf(owner)) listener.onPositions(moved);
    },
    onFailure: (error) => onFailure(null, error),
  });

  const unsubscribe = store.subscribe(({ row, isQueueChanged }) => {
    for (const listener of listenersOf(row.owner)) listener.onJob(toJobView(row));
    if (isQueueChanged) positions.note();
  });

  const runner = createRunner({
    store: doesJobs ? store : { ...store, claimNext: () => Promise.resolve(undefined) },
    executor,
    onPicture({ owner, jobId }, picture) {
      for (const listener of listenersOf(owner)) listener.onPicture?.(jobId, picture);
    },
    onFailure,
    retryMs,
  });

  async function find(owner: string, jobId: string): Promise<JobRow> {
    const row = await store.get(jobId);
    if (row?.owner !== owner) throw refusals.missing(jobId);
    return row;
  }

  /** Applies what a client asks for. */
  async function change(owner: string, jobId: string, type: 'cancel' | 'pause' | 'resume'): Promise<JobView> {
    await find(owner, jobId);
    const row = await store.change(jobId, { type });
    if (row === undefined) throw refusals.missing(jobId);
    if (row.job.state === 'canceled') void removeFiles(jobId);
    return toJobView(row);
  }

  /**
   * Call it after all work of the job has ended. Never rejects: a file that cannot be removed now, because Windows has it
   * open for a download, is removed at the next start.
   */
  function removeFiles(jobId: string): Promise<void> {
    const removal = runner
      .stop(jobId)
      .then(() => executor.discard(jobId))
      .catch((error: unknown) => onFailure(jobId, error))
      .finally(() => removals.delete(removal));
    removals.add(removal);
    return removal;
  }

  await store.recover();
  await executor.sweep(await store.states());
  runner.wake();

  return {
    async add(owner, request) {
      const jobId = randomBytes(16).toString('hex');
      const job = { jobId, owner, createdAt: now().toISOString(), request };
      return toJobView(await store.add(job, { all: maxJobs, unfinished: maxWaitingJobs }));
    },
    async list(owner, afterJobId = null, most = maxJobs) {
      if (afterJobId !== null) await find(owner, afterJobId);
      return (await store.list(owner, afterJobId, most)).map(toJobView);
    },
    get: async (owner, jobId) => toJobView(await find(owner, jobId)),
    async ownerOf(jobId) {
      const row = await store.get(jobId);
      if (row === undefined) throw refusals.missing(jobId);
      return row.owner;
    },
    hasKey: async (owner, key) => (await store.getByKey(owner, key)) !== undefined,
    needsClip: (owner, clipId) => store.needsClip(owner, clipId),
    async unfinished() {
      return (await store.unfinished()).map(({ jobId, owner, request }) => ({ jobId, owner, request }));
    },
    countByState: () => store.countByState(),
    lastReport: (model) => store.lastReport(model),
    cancel: (owner, jobId) => change(owner, jobId, 'cancel'),
    pause: (owner, jobId) => change(owner, jobId, 'pause'),
    resume: (owner, jobId) => change(owner, jobId, 'resume'),
    async move(owner, jobId, beforeJobId) {
      await find(owner, jobId);
      if (beforeJobId !== null) await find(owner, beforeJobId);
      return toJobView(await store.move(jobId, beforeJobId));
    },
    async remove(owner, jobId) {
      await find(owner, jobId);
      await store.change(jobId, { type: 'cancel' });
      // First the files: if the server ends in between, the row still says which job they belonged to.
      await removeFiles(jobId);
      await store.remove(jobId);
    },
    subscribe: (owner, listener) => listen(listeners, owner, listener),
    async close() {
      await runner.close();
      await positions.flush();
      unsubscribe();
      await Promise.all(removals);
    },
  };
}
