// The queue of jobs that several machines share, on Redis by BullMQ. This process does jobs of it, one after the other, as
// every other process that opens it, unless it is told to leave them to the others.

import { openLocalQueue } from '../jobs/local-queue.ts';
import type { JobQueue, JobQueueOptions } from '../jobs/queue.ts';
import { openBullJobStore, type BullJobStoreOptions } from './bull-job-store.ts';

export interface BullQueueOptions extends JobQueueOptions, Omit<BullJobStoreOptions, 'onFailure'> {
  /** Whether this process does jobs; else others do. Default: true. */
  readonly doesJobs?: boolean;
  /** How long to wait before a write is tried again that has failed. Default: 2 seconds. */
  readonly retryMs?: number;
}

/** Joins the queue. `close` gives the running job back to it, and ends the connections. */
export async function openBullQueue(options: BullQueueOptions): Promise<JobQueue> {
  const tell = options.onFailure ?? (() => undefined);
  const onFailure = (jobId: string | null, error: unknown): void => tell(jobId, withoutCommand(error));
  const store = await openBullJobStore({ ...options, onFailure: (error) => onFailure(null, error) });
  try {
    const queue = await openLocalQueue({ ...options, store, onFailure });
    return {
      ...queue,
      async close() {
        await queue.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** An error that Redis answers holds the command with all that it was to write, prompts included: no log may have them. */
function withoutCommand(error: unknown): unknown {
  return error instanceof Error && error.name === 'ReplyError' ? new Error(error.message) : error;
}
