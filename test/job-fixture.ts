// A queue of jobs in memory whose work ends when the test says so, and what is asked of it.

import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { jobMigrations, type JobRequest } from '../companion-server/src/jobs/job-table.ts';
import { openJobs, type Jobs } from '../companion-server/src/jobs/jobs.ts';
import type { JobWork } from '../companion-server/src/jobs/work.ts';
import { openDatabase, type Database } from '../companion-server/src/store/database.ts';
import { defaultSettings } from '../protocol/edit-settings.ts';
import { isOutcome, type JobView } from '../protocol/job.ts';
import { createManualWork } from './manual-work.ts';

export const owner = 'a'.repeat(32);

export const requestOf = (changes: Partial<JobRequest> = {}): JobRequest => ({
  key: randomBytes(8).toString('hex'),
  clipId: 'c'.repeat(32),
  settings: { ...defaultSettings(), prompt: 'a wolf' },
  model: null,
  device: 'cpu',
  priority: 0,
  ...changes,
});

export const memoryDatabase = (): Database => openDatabase(':memory:', [jobMigrations]);

/** Closed when the test ends. */
export async function openTestJobs(database: Database, work: JobWork): Promise<Jobs> {
  const jobs = await openJobs({ database, work, retryMs: 1 });
  onTestFinished(() => jobs.close());
  return jobs;
}

export async function createFixture() {
  const database = memoryDatabase();
  const manual = createManualWork();
  const jobs = await openTestJobs(database, manual.work);
  return { ...manual, database, jobs };
}

/** Resolves when the job is over, with its view then. */
export function over(jobs: Jobs, jobId: string): Promise<JobView> {
  const now = jobs.get(owner, jobId);
  if (isOutcome(now.state)) return Promise.resolve(now);
  return new Promise((resolve) => {
    const stop = jobs.subscribe(owner, (view) => {
      if (view.jobId !== jobId || !isOutcome(view.state)) return;
      stop();
      resolve(view);
    });
  });
}
