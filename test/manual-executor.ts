// Work that ends when the test says so; stopped work ends at once.

import { CanceledError } from '../companion-server/src/errors.ts';
import type { JobExecutor, JobHooks, JobOutcome } from '../companion-server/src/jobs/executor.ts';
import { createDeferred, type Deferred } from './deferred.ts';
import { fakeReport } from './fixtures/engines/report.ts';

/** What a run of it may end with. */
export const outcome: JobOutcome = {
  report: fakeReport,
  result: { sizeBytes: 3, sha256: '0'.repeat(64) },
};

export interface ManualRun {
  readonly jobId: string;
  readonly hooks: JobHooks;
  readonly ending: Deferred<JobOutcome>;
}

export interface ManualExecutor {
  readonly executor: JobExecutor;
  readonly runs: readonly ManualRun[];
  /** The n-th beginning of any work, 0 the first. */
  readonly run: (index: number) => Promise<ManualRun>;
  /** What else was asked of it: `tidy JOB`, `discard JOB`, `sweep STATES`. */
  readonly events: readonly string[];
}

export function createManualExecutor(): ManualExecutor {
  const runs: ManualRun[] = [];
  const events: string[] = [];
  let started = createDeferred<undefined>();
  const executor: JobExecutor = {
    run({ jobId }, hooks) {
      const ending = createDeferred<JobOutcome>();
      hooks.signal.addEventListener('abort', () => ending.reject(new CanceledError()));
      runs.push({ jobId, hooks, ending });
      started.resolve(undefined);
      started = createDeferred();
      return ending.promise;
    },
    tidy: (jobId) => Promise.resolve(void events.push(`tidy ${jobId}`)),
    discard: (jobId) => Promise.resolve(void events.push(`discard ${jobId}`)),
    sweep: (states) => Promise.resolve(void events.push(`sweep ${[...states.values()].join()}`)),
  };
  const run = async (index: number): Promise<ManualRun> => {
    for (;;) {
      const found = runs[index];
      if (found !== undefined) return found;
      await started.promise;
    }
  };
  return { executor, runs, run, events };
}
