// A queue of jobs whose work ends when the test says so, and what is asked of it.

import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { JobExecutor } from '../companion-server/src/jobs/executor.ts';
import { openLocalQueue } from '../companion-server/src/jobs/local-queue.ts';
import type { JobQueue } from '../companion-server/src/jobs/queue.ts';
import { createSqliteJobStore, jobMigrations } from '../companion-server/src/jobs/sqlite-store.ts';
import type { JobRequest } from '../companion-server/src/jobs/store.ts';
import { openDatabase, type Database } from '../companion-server/src/store/database.ts';
import { defaultSettings } from '../protocol/edit-settings.ts';
import { isOutcome, type JobView } from '../protocol/job.ts';
import { createManualExecutor } from './manual-executor.ts';

export const owner = 'a'.repeat(32);
export const stranger = 'b'.repeat(32);

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

/** The queue of this process on a database. Closed when the test ends. */
export async function openTestQueue(database: Database, executor: JobExecutor): Promise<JobQueue> {
  const store = createSqliteJobStore(database);
  const queue = await openLocalQueue({ store, executor, retryMs: 1 });
  onTestFinished(() => queue.close());
  return queue;
}

export async function createFixture() {
  const database = memoryDatabase();
  const manual = createManualExecutor();
  const queue = await openTestQueue(database, manual.executor);
  return { ...manual, database, queue };
}

/** Resolves when the owner's job is over, with its view then. */
export async function over(queue: JobQueue, jobId: string): Promise<JobView> {
  let stop: () => void = () => undefined;
  const told = new Promise<JobView>((resolve) => {
    stop = queue.subscribe(owner, {
      onJob(view) {
        if (view.jobId === jobId && isOutcome(view.state)) resolve(view);
      },
      onPositions: () => undefined,
    });
  });
  try {
    const current = await queue.get(owner, jobId);
    return isOutcome(current.state) ? current : await told;
  } finally {
    stop();
  }
}
