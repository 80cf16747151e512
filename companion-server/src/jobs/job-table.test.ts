// The rows of jobs, and databases of earlier versions.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { memoryDatabase, owner, requestOf } from '../../../test/job-fixture.ts';
import { createManualWork } from '../../../test/manual-work.ts';
import { defaultSettings } from '../../../protocol/edit-settings.ts';
import { parseServerMessage } from '../../../protocol/server-messages.ts';
import { openDatabase } from '../store/database.ts';
import { createJobTable, jobMigrations } from './job-table.ts';
import { openJobs } from './jobs.ts';

test('a clock that goes back hides no job from who reads on behind the last one', async () => {
  let now = new Date('2026-11-27T12:00:00Z');
  const { work } = createManualWork();
  const jobs = await openJobs({ database: memoryDatabase(), work, now: () => now });
  onTestFinished(() => jobs.close());
  const first = jobs.create(owner, requestOf());
  now = new Date('2020-01-01T00:00:00Z');
  const second = jobs.create(owner, requestOf());
  expect(jobs.list(owner, first.jobId).map(({ jobId }) => jobId)).toEqual([second.jobId]);
  expect(jobs.list(owner).map(({ jobId }) => jobId)).toEqual([first.jobId, second.jobId]);
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
  const table = createJobTable(database);
  const list = table.ofOwner(owner, null, 10);
  expect(list.map(({ jobId }) => jobId)).toEqual(['older', 'newer']);
  const [older] = list;
  expect(table.ofOwner(owner, older ?? null, 10).map(({ jobId }) => jobId)).toEqual(['newer']);
});

test('the settings of a job that an older version has kept are read by the names of today', async () => {
  const database = memoryDatabase();
  const { work } = createManualWork();
  const jobs = await openJobs({ database, work });
  onTestFinished(() => jobs.close());
  const request = requestOf();
  const { jobId } = jobs.create(owner, request);
  const { pipeline, initialNoise, ...others } = request.settings;
  const kept = { ...others, schedule: pipeline, noise: initialNoise };
  database.run('UPDATE jobs SET settings = ? WHERE job_id = ?', JSON.stringify(kept), jobId);
  expect(jobs.get(owner, jobId)?.settings).toEqual(request.settings);
});

test('an error that an older version has kept with `retryable` is told to a client without it', async () => {
  const database = memoryDatabase();
  const { work } = createManualWork();
  const jobs = await openJobs({ database, work });
  onTestFinished(() => jobs.close());
  const { jobId } = jobs.create(owner, requestOf());
  const error = { code: 'disk-full', message: 'The disk is full.', hint: 'Free some space.' };
  database.run(
    "UPDATE jobs SET state = 'failed', error = ? WHERE job_id = ?",
    ...[JSON.stringify({ ...error, retryable: true }), jobId],
  );
  const said = { type: 'job', requestId: 1, job: jobs.get(owner, jobId) };
  expect(parseServerMessage(JSON.stringify(said))).toMatchObject({ job: { state: 'failed', error } });
});
