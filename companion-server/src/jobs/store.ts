// The port behind the queue: the storage of jobs. SQLite in the data folder is one implementation
// (sqlite-store.ts), a store that several servers share may be another. It follows the backend of BullMQ
// (https://docs.bullmq.io): `add`, `claimNext` (moveToActive), `change` (updateProgress, moveToCompleted, moveToFailed
// and similar; job.ts defines the effect of each), `remove`, and events. Every method is one step that happens fully or
// not at all, also with parallel calls of other processes; what it returns is stored.

import type { DeviceChoice } from '../../../protocol/devices.ts';
import type { EditReport } from '../../../protocol/edit-report.ts';
import { uploadsOf, type EditSettings } from '../../../protocol/edit-settings.ts';
import type { JobState } from '../../../protocol/job.ts';
import { EditError } from '../errors.ts';
import type { Job, JobChange } from './job.ts';

/** What the client asked for. */
export interface JobRequest {
  /** Chosen by the client: a second request with the same key is the same job. */
  readonly key: string;
  readonly clipId: string;
  readonly settings: EditSettings;
  /** Id of the model; null for the server's first. */
  readonly model: string | null;
  readonly device: DeviceChoice;
  /** Higher runs earlier. */
  readonly priority: number;
}

/** Digits of a file's SHA-256 that are the id of its clip. */
const idLength = 32;

/** The clips that the job reads: the one that it edits, control videos, a matte, keyframes, a lookup table. */
export function clipsOf({ clipId, settings }: JobRequest): readonly string[] {
  const named = (settings.controls ?? []).flatMap(({ clip }) => clip ?? []);
  return [clipId, ...named, ...uploadsOf(settings).map((sha256) => sha256.slice(0, idLength))];
}

/** A job that is to be queued. */
export interface NewJob {
  readonly jobId: string;
  readonly owner: string;
  /** UTC, ISO 8601. */
  readonly createdAt: string;
  readonly request: JobRequest;
}

/** A stored job. */
export interface JobRow extends NewJob {
  readonly job: Job;
  /** How many queued jobs run before it; null unless it is queued. */
  readonly queuePosition: number | null;
}

/** A job in the queue. */
export interface QueuedJob {
  readonly jobId: string;
  readonly owner: string;
  readonly priority: number;
}

/** A change of a job. Every process that uses the store gets it once it is stored, in the order of the changes. */
export interface JobEvent {
  /** The job after it. */
  readonly row: JobRow;
  /** Whether the job has entered, left or moved in the queue. Positions of other jobs may have changed because of it. */
  readonly isQueueChanged: boolean;
}

/** How many jobs an owner may have. */
export interface JobLimits {
  readonly all: number;
  /** Of the unfinished ones. */
  readonly unfinished: number;
}

export interface JobStore {
  /**
   * Queues a job behind all that are at least as urgent. Where the owner has a job with this key already, nothing is added
   * and that job is returned. Throws EditError 'limit-reached' when the owner has as many jobs as `limits` allows.
   */
  add(job: NewJob, limits: JobLimits): Promise<JobRow>;
  get(jobId: string): Promise<JobRow | undefined>;
  getByKey(owner: string, key: string): Promise<JobRow | undefined>;
  /** In the order of creation: at most `most` of those that were made after the job `afterJobId`; null: from the first. */
  list(owner: string, afterJobId: string | null, most: number): Promise<readonly JobRow[]>;
  /** The queued jobs in their order. */
  queue(): Promise<readonly QueuedJob[]>;
  /** Starts the first job of the queue. No other call gets the same. Undefined when the queue is empty. */
  claimNext(): Promise<JobRow | undefined>;
  /**
   * Applies a change by `changeJob`. Progress may be lost when a process ends; all else is stored. A job that returns to
   * the queue without a request is its first; a resumed job goes behind all that are at least as urgent. A change that
   * ends work or frees space is stored even on a full disk, if that is possible. Returns the job after the change; the
   * job is the same if the change does not fit its state. Undefined when there is no such job.
   */
  change(jobId: string, change: JobChange): Promise<JobRow | undefined>;
  /**
   * Puts a queued job before another queued one, or behind all for null; it gets the priority of its new position. Throws
   * EditError 'invalid-request' when one of them is not queued, 'job-missing' when there is none.
   */
  move(jobId: string, beforeJobId: string | null): Promise<JobRow>;
  /** Removes a finished job. Does nothing when there is no such job. */
  remove(jobId: string): Promise<void>;
  /** Applies `server-died` to every job that an ended process has left running. Call at the start, before `claimNext`. */
  recover(): Promise<void>;
  /** Whether an unfinished job of the owner reads the clip (`clipsOf`). */
  needsClip(owner: string, clipId: string): Promise<boolean>;
  /** The unfinished jobs of all owners, oldest first. */
  unfinished(): Promise<readonly JobRow[]>;
  /** Of all owners' jobs. */
  countByState(): Promise<Record<JobState, number>>;
  /** Of the last job by this model that is done; null when there is none. */
  lastReport(model: string | null): Promise<EditReport | null>;
  states(): Promise<ReadonlyMap<string, JobState>>;
  /** Calls `listener` with every event. Returns a function that ends that. */
  subscribe(listener: (event: JobEvent) => void): () => void;
}

/** The refusals of every implementation. */
export const refusals = {
  missing: (jobId: string): EditError =>
    new EditError('job-missing', `There is no job ${jobId}.`, {
      hint: 'It may have been deleted, or belong to another client.',
    }),
  notQueued: (jobId: string, state: JobState): EditError =>
    new EditError('invalid-request', `Job ${jobId} is not queued: it is ${state}.`),
  tooMany: (limits: JobLimits, { all, unfinished }: JobLimits): EditError =>
    new EditError(
      'limit-reached',
      `A client may have ${limits.all} jobs, ${limits.unfinished} of them not over; there are ${all} and ${unfinished}.`,
      { hint: 'Delete finished jobs first, or wait for some to end.' },
    ),
};
