// Work that ends when the test says so; stopped work ends at once.

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CanceledError, EditError } from '../companion-server/src/errors.ts';
import type { JobHooks, JobOutcome, JobWork } from '../companion-server/src/jobs/work.ts';
import { createDeferred, type Deferred } from './deferred.ts';
import { fakeReport } from './fixtures/engines/report.ts';

/** What a run of it may end with. */
export const outcome: JobOutcome = {
  report: fakeReport,
  result: { sizeBytes: 3, sha256: '0'.repeat(64) },
};

/** The one clip that it cannot work on. */
export const missingClip = 'd'.repeat(32);

export interface ManualRun {
  readonly jobId: string;
  readonly hooks: JobHooks;
  readonly ending: Deferred<JobOutcome>;
}

export function createManualWork() {
  const runs: ManualRun[] = [];
  const events: string[] = [];
  let started = createDeferred<undefined>();
  const work: JobWork = {
    check: ({}, { clipId }) => {
      if (clipId === missingClip) throw new EditError('clip-missing', 'There is no such clip.');
    },
    estimate: () => Promise.reject(new Error('not asked for')),
    run({ jobId }, hooks) {
      const ending = createDeferred<JobOutcome>();
      hooks.signal.addEventListener('abort', () => ending.reject(new CanceledError()));
      runs.push({ jobId, hooks, ending });
      started.resolve(undefined);
      started = createDeferred();
      return ending.promise;
    },
    resultPath: (jobId) => join(tmpdir(), `tokenflow-none-${jobId}`),
    tidy: (jobId) => Promise.resolve(void events.push(`tidy ${jobId}`)),
    discard: (jobId) => Promise.resolve(void events.push(`discard ${jobId}`)),
    sweep: (states) => Promise.resolve(void events.push(`sweep ${[...states.values()].join()}`)),
  };
  /** The n-th beginning of any work, 0 the first. */
  const run = async (index: number): Promise<ManualRun> => {
    for (;;) {
      const found = runs[index];
      if (found !== undefined) return found;
      await started.promise;
    }
  };
  return { work, runs, run, events };
}
