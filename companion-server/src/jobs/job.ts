// The life of one job as a value. No clock, no files, no processes: what happened goes in as an event.

import type { WireError } from '../../../protocol/error-codes.ts';
import type { EditProgress } from '../../../protocol/progress.ts';

export type Job<Result> =
  | { readonly state: 'queued' }
  | { readonly state: 'running'; readonly progress: EditProgress | null }
  | { readonly state: 'done'; readonly result: Result }
  | { readonly state: 'failed'; readonly error: WireError }
  | { readonly state: 'canceled' };

export type JobChange<Result> =
  | { readonly type: 'start' }
  | { readonly type: 'progress'; readonly progress: EditProgress }
  | { readonly type: 'finish'; readonly result: Result }
  | { readonly type: 'fail'; readonly error: WireError }
  | { readonly type: 'cancel' };

/** Whether the job has an outcome, which nothing changes any more. */
export function isOver(job: Job<unknown>): boolean {
  return job.state !== 'queued' && job.state !== 'running';
}

/**
 * The job after a change. A change that does not fit (progress after a cancel, a cancel after the end,
 * progress that falls) returns the same job.
 */
export function changeJob<Result>(job: Job<Result>, change: JobChange<Result>): Job<Result> {
  if (isOver(job)) return job;
  switch (change.type) {
    case 'start':
      return job.state === 'queued' ? { state: 'running', progress: null } : job;
    case 'progress':
      return job.state === 'running' && change.progress.progress >= (job.progress?.progress ?? 0)
        ? { state: 'running', progress: change.progress }
        : job;
    case 'finish':
      return job.state === 'running' ? { state: 'done', result: change.result } : job;
    case 'fail':
      return { state: 'failed', error: change.error };
    case 'cancel':
      return { state: 'canceled' };
  }
}
