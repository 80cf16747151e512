// Another program holds the server's database for a while.

import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openLocalQueue } from '../../companion-server/src/jobs/local-queue.ts';
import { createSqliteJobStore, jobMigrations } from '../../companion-server/src/jobs/sqlite-store.ts';
import { openDatabase } from '../../companion-server/src/store/database.ts';
import { createDeferred } from '../deferred.ts';
import { createJob, outcomeOf, progressOf, uploadTo } from '../e2e/test-jobs.ts';
import { connectTo, startTestServer } from '../e2e/test-server.ts';
import { createWorkspace } from '../e2e/workspace.ts';
import { over, owner, requestOf } from '../job-fixture.ts';
import { createManualExecutor, outcome } from '../manual-executor.ts';
import { holdDatabase } from './database-holder.ts';

test('what a client asks for meanwhile can be tried again, and nothing stays in the way afterwards', async () => {
  const workspace = await createWorkspace();
  const server = await startTestServer(workspace, 'stopping');
  const steady = await connectTo(server);
  const clipId = await uploadTo(steady, workspace);
  const running = await createJob(steady, clipId);
  await progressOf(steady, running);
  const letGo = await holdDatabase(join(workspace.dataDir, 'tokenflow.db'));
  for (const type of ['job-pause', 'job-cancel'] as const) {
    await expect(steady.request({ type, jobId: running })).rejects.toMatchObject({
      code: 'database-busy',
    });
  }
  await expect(createJob(steady, clipId)).rejects.toMatchObject({ code: 'database-busy' });
  const { job } = await steady.request({ type: 'job-get', jobId: running });
  expect(job.state).toBe('running');
  const newcomer = await connectTo(server);
  await newcomer.request({ type: 'job-list', afterJobId: null });
  await letGo();
  const next = await createJob(newcomer, clipId);
  await steady.request({ type: 'job-cancel', jobId: next });
  await steady.request({ type: 'job-pause', jobId: running });
  await steady.request({ type: 'job-resume', jobId: running });
  expect(await outcomeOf(steady, running)).toMatchObject({ state: 'done' });
});

test('a job that ends meanwhile is done when the database is free', async () => {
  const { dataDir } = await createWorkspace();
  const path = join(dataDir, 'tokenflow.db');
  const database = openDatabase(path, [jobMigrations]);
  const { executor, run } = createManualExecutor();
  const refused = createDeferred<unknown>();
  const queue = await openLocalQueue({
    store: createSqliteJobStore(database),
    executor,
    retryMs: 1,
    onFailure: (_jobId, error) => refused.resolve(error),
  });
  onTestFinished(async () => {
    await queue.close();
    database.close();
  });
  const { jobId } = await queue.add(owner, requestOf());
  const { ending } = await run(0);
  const letGo = await holdDatabase(path);
  ending.resolve(outcome);
  expect(await refused.promise).toMatchObject({ code: 'SQLITE_BUSY' });
  await letGo();
  expect(await over(queue, jobId)).toMatchObject({ state: 'done' });
});
