// Jobs in a database, and databases of earlier versions.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { describeJobStore } from '../../../test/contracts/job-store.ts';
import { memoryDatabase, openTestQueue, owner, requestOf } from '../../../test/job-fixture.ts';
import { createManualExecutor } from '../../../test/manual-executor.ts';
import { defaultSettings } from '../../../protocol/edit-settings.ts';
import { parseServerMessage } from '../../../protocol/messages/server-messages.ts';
import { openDatabase } from '../store/database.ts';
import { openLocalQueue } from './local-queue.ts';
import { createSqliteJobStore, jobMigrations } from './sqlite-store.ts';

describeJobStore('SQLite', () => {
  const database = memoryDatabase();
  return { open: () => createSqliteJobStore(database) };
});

test('a clock that goes back hides no job from who reads on behind the last one', async () => {
  let now = new Date('2026-11-27T12:00:00Z');
  const { executor } = createManualExecutor();
  const queue = await openLocalQueue({ store: createSqliteJobStore(memoryDatabase()), executor, now: () => now });
  onTestFinished(() => queue.close());
  const first = await queue.add(owner, requestOf());
  now = new Date('2020-01-01T00:00:00Z');
  const second = await queue.add(owner, requestOf());
  expect((await queue.list(owner, first.jobId)).map(({ jobId }) => jobId)).toEqual([second.jobId]);
  expect((await queue.list(owner)).map(({ jobId }) => jobId)).toEqual([first.jobId, second.jobId]);
});

test('a database whose jobs have no numbers yet gets them in the order of their making', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tokenflow-job-table-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'tokenflow.db');
  const old = openDatabase(path, [{ ...jobMigrations, steps: jobMigrations.steps.slice(0, 2) }]);
  for (const [jobId, createdAt] of [
    ['newer', '2026-11-27T12:00:00Z'],
    ['older', '2026-11-26T12:00:00Z'],
  ] as const) {
    old.run(
      `INSERT INTO jobs (job_id, owner, key, clip_id, settings, device, priority, created_at, rank, state,
        starts, engine_deaths, server_deaths) VALUES (?, ?, ?, 'c', ?, 'cpu', 0, ?, 1, 'done', 1, 0, 0)`,
      ...[jobId, owner, jobId, JSON.stringify(defaultSettings()), createdAt],
    );
  }
  old.close();
  const database = openDatabase(path, [jobMigrations]);
  onTestFinished(() => database.close());
  const store = createSqliteJobStore(database);
  expect((await store.list(owner, null, 10)).map(({ jobId }) => jobId)).toEqual(['older', 'newer']);
  expect((await store.list(owner, 'older', 10)).map(({ jobId }) => jobId)).toEqual(['newer']);
});

test('the settings of a job that an older version has kept are read by the names of today', async () => {
  const database = memoryDatabase();
  const queue = await openTestQueue(database, createManualExecutor().executor);
  const request = requestOf();
  const { jobId } = await queue.add(owner, request);
  const { pipeline, initialNoise, ...others } = request.settings;
  const kept = { ...others, schedule: pipeline, noise: initialNoise };
  database.run('UPDATE jobs SET settings = ? WHERE job_id = ?', JSON.stringify(kept), jobId);
  expect((await queue.get(owner, jobId)).settings).toEqual(request.settings);
});

test('an error that an older version has kept with `retryable` is told to a client without it', async () => {
  const database = memoryDatabase();
  const queue = await openTestQueue(database, createManualExecutor().executor);
  const { jobId } = await queue.add(owner, requestOf());
  await queue.pause(owner, jobId);
  const error = { code: 'disk-full', message: 'The disk is full.', hint: 'Free some space.' };
  database.run(
    "UPDATE jobs SET state = 'failed', error = ? WHERE job_id = ?",
    ...[JSON.stringify({ ...error, retryable: true }), jobId],
  );
  const said = { type: 'job', requestId: 1, job: await queue.get(owner, jobId) };
  expect(parseServerMessage(JSON.stringify(said))).toMatchObject({ job: { state: 'failed', error } });
});
