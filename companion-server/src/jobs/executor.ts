// The interface of the work in a queue's jobs, so that the queue does not depend on engine and files.

import type { EditReport } from '../../../protocol/edit-report.ts';
import type { JobState, ResultFacts } from '../../../protocol/job.ts';
import type { EditProgress } from '../../../protocol/progress.ts';
import type { JobRequest, JobRow } from './store.ts';

/** A frame of a running edit. */
export interface JobPicture {
  readonly jpeg: Uint8Array;
  /** Of the edit, from 0. */
  readonly frameIndex: number;
}

export interface JobHooks {
  readonly onProgress: (progress: EditProgress) => void;
  /** What the edit looks like so far. It is passed on, and kept nowhere. */
  readonly onPicture: (picture: JobPicture) => void;
  /** A step is finished and stored for the first time: from now on the job always continues after it. */
  readonly onStep: () => void;
  readonly signal: AbortSignal;
}

export interface JobOutcome {
  readonly report: EditReport;
  readonly result: ResultFacts;
}

/** The requested edit, without key and priority. */
export type JobSpec = Omit<JobRequest, 'key' | 'priority'>;

export interface JobExecutor {
  /**
   * Does the job, from its last finished step on if it was begun before. Throws CanceledError once `signal` is
   * aborted, when nothing of it runs any more; EditError 'engine-crashed' when its process has died; EditError.
   */
  run(job: Pick<JobRow, 'jobId' | 'owner' | 'request'>, hooks: JobHooks): Promise<JobOutcome>;
  /** Removes the files that a finished job does not need any more; its result stays. */
  tidy(jobId: string): Promise<void>;
  /** Removes all files of a job. Does nothing when there are none. */
  discard(jobId: string): Promise<void>;
  /** Called before the first job: removes files of a killed server that these jobs do not need. */
  sweep(jobs: ReadonlyMap<string, JobState>): Promise<void>;
}
