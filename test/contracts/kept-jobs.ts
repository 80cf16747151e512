// Queues on the same jobs, one after the other or side by side, with work that ends when the test says so.

import { onTestFinished } from 'vitest';
import type { JobQueue, JobQueueOptions } from '../../companion-server/src/jobs/queue.ts';
import { createManualExecutor, type ManualExecutor } from '../manual-executor.ts';

/** Jobs that are kept, whoever opens them. */
export interface KeptJobs {
  /** The queue of another process on the same jobs. A wait for something that fails is at most a few milliseconds. */
  open(options: JobQueueOptions): Promise<JobQueue>;
}

export interface ManualQueue extends ManualExecutor {
  readonly queue: JobQueue;
}

/** Closed when the test ends. */
export async function openManually(jobs: KeptJobs): Promise<ManualQueue> {
  const manual = createManualExecutor();
  const queue = await jobs.open({ executor: manual.executor });
  onTestFinished(() => queue.close());
  return { ...manual, queue };
}
