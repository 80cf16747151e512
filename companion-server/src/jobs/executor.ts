// What a queue asks of the work that it has done: an interface, so that it knows neither engine nor files.

import type { EditReport } from '../../../protocol/edit-report.ts';
import type { JobState, ResultFacts } from '../../../protocol/job.ts';
import type { EditProgress } from '../../../protocol/progress.ts';
import type { JobRequest, JobRow } from './store.ts';

export interface JobHooks {
  readonly onProgress: (progress: EditProgress) => void;
  /** A step is finished and stored for the first time: from now on the job always continues after it. */
  readonly onStep: () => void;
  readonly signal: AbortSignal;
}

export interface JobOutcome {
  readonly report: EditReport;
  readonly result: ResultFacts;
}

/** What is to be edited, without the client's name for it. */
export type JobSpec = Omit<JobRequest, 'key' | 'priority'>;

export interface JobExecutor {
  /**
   * Does the job, from its last finished step on if it was begun before. Throws CanceledError once `signal` is
   * aborted, when nothing of it runs any more; EditError 'engine-crashed' when its process has died; EditError.
   */
  run(job: Pick<JobRow, 'jobId' | 'owner' | 'request'>, hooks: JobHooks): Promise<JobOutcome>;
  /** Removes what a job that is done needs no more; its result stays. */
  tidy(jobId: string): Promise<void>;
  /** Removes all that there is of a job. Does nothing where there is nothing. */
  discard(jobId: string): Promise<void>;
  /** Before the first job: removes what a killed server has left beside what these jobs need. */
  sweep(jobs: ReadonlyMap<string, JobState>): Promise<void>;
}
