// The port through which the rest of the server uses jobs: the jobs of every client, and their control. A job outlives
// connections, engines and servers. local-queue.ts does the jobs in this process, one at a time; another implementation
// may leave them to other machines.

import type { EditReport } from '../../../protocol/edit-report.ts';
import type { JobState, JobView, QueuePosition } from '../../../protocol/job.ts';
import type { JobExecutor, JobPicture } from './executor.ts';
import type { JobRequest, JobRow } from './store.ts';

export type UnfinishedJob = Pick<JobRow, 'jobId' | 'owner' | 'request'>;

/** The events that an owner of jobs gets. */
export interface JobListener {
  /** A job of the owner has another state, or progress. */
  onJob(view: JobView): void;
  /** What a running job of the owner looks like so far. There is no other way to get it. */
  onPicture?(jobId: string, picture: JobPicture): void;
  /** Jobs of the owner have moved in the queue because other jobs came, ended or moved. */
  onPositions(positions: readonly QueuePosition[]): void;
}

/**
 * Every method with a `jobId` throws EditError 'job-missing' when the owner has no such job. When a method returns, its
 * change is stored; when it throws, nothing has changed.
 */
export interface JobQueue {
  /**
   * Queues a job, or returns the one that the owner has created with this key before, even for another request. Throws
   * EditError 'limit-reached' when the owner has too many jobs.
   */
  add(owner: string, request: JobRequest): Promise<JobView>;
  /** Oldest first: all, or at most `most` of those that came after the job `afterJobId`, or after none for null. */
  list(owner: string, afterJobId?: string | null, most?: number): Promise<readonly JobView[]>;
  get(owner: string, jobId: string): Promise<JobView>;
  ownerOf(jobId: string): Promise<string>;
  /** Whether the owner has created a job with this key. */
  hasKey(owner: string, key: string): Promise<boolean>;
  /** Whether an unfinished job of the owner reads the clip (`clipsOf`). */
  needsClip(owner: string, clipId: string): Promise<boolean>;
  /** What the unfinished jobs of all owners ask for, oldest first. */
  unfinished(): Promise<readonly UnfinishedJob[]>;
  /** Of all owners' jobs. */
  countByState(): Promise<Record<JobState, number>>;
  /** Of the last edit by this model that is done; null when there is none. */
  lastReport(model: string | null): Promise<EditReport | null>;
  /** Cancels an unfinished job. Its work is stopped at once. */
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
  /** Cancels the job if it is unfinished, waits for its end, and removes it with all its files. */
  remove(owner: string, jobId: string): Promise<void>;
  /** Calls `listener` with the events of the owner's jobs from now on. Returns a function that ends that. */
  subscribe(owner: string, listener: JobListener): () => void;
  /** Stops the running job. It is the first to continue when the server starts again. */
  close(): Promise<void>;
}

/** The parts that a queue needs. */
export interface JobQueueOptions {
  /** Does the jobs. */
  readonly executor: JobExecutor;
  /** Called at every failure, with the error as it was thrown. */
  readonly onFailure?: (jobId: string | null, error: unknown) => void;
}

/** Loads the stored jobs and continues them. */
export type OpenJobQueue = (options: JobQueueOptions) => Promise<JobQueue>;
