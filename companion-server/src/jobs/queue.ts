// Jobs in the order of their arrival, one at a time. What a job does is passed in as a function.

import type { EditProgress } from '../../../protocol/progress.ts';
import { CanceledError } from '../errors.ts';
import { toWireError } from '../wire-error.ts';
import { changeJob, isOver, type Job, type JobChange } from './job.ts';

/** Does one job. Throws CanceledError once `signal` is aborted, anything else when the job fails. */
export type Work<Spec, Result> = (
  jobId: string,
  spec: Spec,
  hooks: { readonly onProgress: (progress: EditProgress) => void; readonly signal: AbortSignal },
) => Promise<Result>;

export interface JobQueueOptions<Spec, Result> {
  readonly work: Work<Spec, Result>;
  /** Removes what a finished job has left for its client. */
  readonly discard: (jobId: string) => Promise<void>;
  /** Told of every failure, with the error as it was thrown. */
  readonly onFailure?: (jobId: string, error: unknown) => void;
}

export interface JobQueue<Spec, Result> {
  /** Queues a job under a new id. `onChange` is called after every change, never before `add` returns. */
  add(jobId: string, spec: Spec, onChange: (job: Job<Result>) => void): void;
  /** The job, or undefined when there is none of this id (any more). */
  get(jobId: string): Job<Result> | undefined;
  /** Cancels a job that is not over. Its change to `canceled` follows when its work has stopped. */
  cancel(jobId: string): void;
  /** Cancels the job if it is not over, waits for its end, discards its result and forgets it. */
  remove(jobId: string): Promise<void>;
  /** Removes every job. */
  close(): Promise<void>;
}

interface Entry<Spec, Result> {
  readonly jobId: string;
  readonly spec: Spec;
  readonly onChange: (job: Job<Result>) => void;
  readonly canceler: AbortController;
  job: Job<Result>;
  /** Settles when the job is over; never rejects. */
  ended: Promise<void>;
}

export function createJobQueue<Spec, Result>({
  work,
  discard,
  onFailure = () => undefined,
}: JobQueueOptions<Spec, Result>): JobQueue<Spec, Result> {
  const entries = new Map<string, Entry<Spec, Result>>();
  let last: Promise<void> = Promise.resolve();

  function apply(entry: Entry<Spec, Result>, change: JobChange<Result>): void {
    const before = entry.job;
    entry.job = changeJob(before, change);
    if (entry.job !== before) entry.onChange(entry.job);
  }

  async function run(entry: Entry<Spec, Result>): Promise<void> {
    if (isOver(entry.job)) return;
    apply(entry, { type: 'start' });
    try {
      const result = await work(entry.jobId, entry.spec, {
        onProgress: (progress) => apply(entry, { type: 'progress', progress }),
        signal: entry.canceler.signal,
      });
      apply(entry, { type: 'finish', result });
    } catch (error) {
      if (error instanceof CanceledError) {
        apply(entry, { type: 'cancel' });
      } else {
        onFailure(entry.jobId, error);
        apply(entry, { type: 'fail', error: toWireError(error) });
      }
    }
  }

  function cancel(jobId: string): void {
    const entry = entries.get(jobId);
    if (entry === undefined) return;
    entry.canceler.abort();
    if (entry.job.state === 'queued') apply(entry, { type: 'cancel' });
  }

  async function remove(jobId: string): Promise<void> {
    const entry = entries.get(jobId);
    if (entry === undefined) return;
    cancel(jobId);
    // A queued job is over at once and need not wait for its turn.
    if (!isOver(entry.job)) await entry.ended;
    if (!entries.delete(jobId)) return;
    await discard(jobId);
  }

  return {
    add(jobId, spec, onChange) {
      const canceler = new AbortController();
      const entry: Entry<Spec, Result> = {
        jobId,
        spec,
        onChange,
        canceler,
        job: { state: 'queued' },
        ended: Promise.resolve(),
      };
      entries.set(jobId, entry);
      entry.ended = last.then(() => run(entry));
      last = entry.ended;
    },
    get: (jobId) => entries.get(jobId)?.job,
    cancel,
    remove,
    async close() {
      await Promise.all([...entries.keys()].map(remove));
    },
  };
}
