// The port that the rest of the server knows jobs by: the jobs of every client, and how each is steered. A job outlives
// connections, engines and servers. local-queue.ts does the jobs in this process, one at a time; another implementation
// may leave them to other machines.

import type { EditReport } from '../../../protocol/edit-report.ts';
import type { JobState, JobView, QueuePosition } from '../../../protocol/job.ts';
import type { JobExecutor } from './executor.ts';
import type { JobRequest } from './store.ts';

/** What an owner of jobs hears of. */
export interface JobListener {
  /** A job of the owner has another state, or progress. */
  onJob(view: JobView): void;
  /** Jobs of the owner have moved in the queue by what became of others. */
  onPositions(positions: readonly QueuePosition[]): void;
}

/**
 * Every method with a `jobId` throws EditError 'job-missing' when the owner has no such job. What they return is kept,
 * and what they throw has changed nothing.
 */
export interface JobQueue {
  /**
   * Queues a job, or returns the one that the owner has created with this key before, whatever else is asked for. Throws
   * EditError 'limit-reached' when the owner has too many jobs.
   */
  add(owner: string, request: JobRequest): Promise<JobView>;
  /** Oldest first: all, or at most `most` of those that came after the job `afterJobId`, or after none for null. */
  list(owner: string, afterJobId?: string | null, most?: number): Promise<readonly JobView[]>;
  get(owner: string, jobId: string): Promise<JobView>;
  ownerOf(jobId: string): Promise<string>;
  /** Whether the owner has created a job with this key. */
  hasKey(owner: string, key: string): Promise<boolean>;
  /** Whether a job of the owner that is not over edits the clip. */
  needsClip(owner: string, clipId: string): Promise<boolean>;
  /** Of all owners' jobs. */
  countByState(): Promise<Record<JobState, number>>;
  /** Of the last edit by this model that is done; null when there is none. */
  lastReport(model: string | null): Promise<EditReport | null>;
  /** Ends a job that is not over. Its work is stopped at once. */
  cancel(owner: string, jobId: string): Promise<JobView>;
  /** Takes a job from the queue, or stops its work, until it is resumed. */
  pause(owner: string, jobId: string): Promise<JobView>;
  /** Queues a paused job again, also one that was set aside; it continues from its last finished step. */
  resume(owner: string, jobId: string): Promise<JobView>;
  /**
   * Puts a queued job before another queued one, or behind all for null; it gets the priority of its new position. Throws
   * EditError 'invalid-request' when one of them is not queued.
   */
  move(owner: string, jobId: string, beforeJobId: string | null): Promise<JobView>;
  /** Cancels the job if it is not over, waits for its end, and removes all that there is of it. */
  remove(owner: string, jobId: string): Promise<void>;
  /** Calls `listener` with the events of the owner's jobs from now on. Returns a function that ends that. */
  subscribe(owner: string, listener: JobListener): () => void;
  /** Stops the running job. It is the first to continue when the server starts again. */
  close(): Promise<void>;
}

/** What a queue is made with. */
export interface JobQueueOptions {
  /** Does the jobs. */
  readonly executor: JobExecutor;
  /** Called at every failure, with the error as it was thrown. */
  readonly onFailure?: (jobId: string | null, error: unknown) => void;
}

/** Loads the stored jobs and continues them. */
export type OpenJobQueue = (options: JobQueueOptions) => Promise<JobQueue>;
