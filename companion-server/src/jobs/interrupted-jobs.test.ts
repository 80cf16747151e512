// Jobs whose engine dies, and jobs that outlive their server.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createFixture, memoryDatabase, openTestJobs, over, owner, requestOf } from '../../../test/job-fixture.ts';
import { createManualWork, outcome } from '../../../test/manual-work.ts';
import { EditError } from '../errors.ts';
import { openDatabase } from '../store/database.ts';
import { jobMigrations } from './job-table.ts';
import type { Jobs } from './jobs.ts';

const crash = new EditError('engine-crashed', 'It crashed.');

test('a job whose engine dies twice without a step is set aside with its work, and the next one runs', async () => {
  const { jobs, run, events } = await createFixture();
  const { jobId } = jobs.create(owner, requestOf());
  const next = jobs.create(owner, requestOf());
  (await run(0)).ending.reject(crash);
  const again = await run(1);
  expect(again.jobId).toBe(jobId);
  again.ending.reject(crash);
  const other = await run(2);
  expect(other.jobId).toBe(next.jobId);
  const { state, error, resumes } = jobs.get(owner, jobId);
  expect([state, error?.code, resumes]).toEqual(['paused', 'engine-crashed', 1]);
  expect(error?.message).toContain('set aside');
  expect(events).toEqual(['sweep ']);
  expect(jobs.resume(owner, jobId)).toMatchObject({ state: 'queued', error: null });
  other.ending.resolve(outcome);
  expect((await run(3)).jobId).toBe(jobId);
});

test('a job whose engine dies after a new step each time goes on', async () => {
  const { jobs, run, events } = await createFixture();
  const { jobId } = jobs.create(owner, requestOf());
  for (let death = 0; death < 4; death++) {
    const { hooks, ending } = await run(death);
    hooks.onStep();
    ending.reject(crash);
  }
  (await run(4)).ending.resolve(outcome);
  expect(await over(jobs, jobId)).toMatchObject({ state: 'done', resumes: 4 });
  expect(events).not.toContain(`discard ${jobId}`);
});

test('a server that is killed finds every job again, the running one first', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tokenflow-jobs-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const open = () => openDatabase(join(folder, 'tokenflow.db'), [jobMigrations]);
  const killed = createManualWork();
  const before = await openTestJobs(open(), killed.work);
  const [first, paused, last] = [0, 1, 2].map(() => before.create(owner, requestOf()));
  if (first === undefined || paused === undefined || last === undefined) throw new Error('none');
  await killed.run(0);
  before.pause(owner, paused.jobId);
  // Another server opens what the first one has written, which says nothing of its end.
  const { work, run, events } = createManualWork();
  const after = await openTestJobs(open(), work);
  expect(events).toEqual(['sweep queued,paused,queued']);
  expect((await run(0)).jobId).toBe(first.jobId);
  expect(after.get(owner, first.jobId)).toMatchObject({ state: 'running', resumes: 1 });
  expect(after.get(owner, paused.jobId)).toMatchObject({ state: 'paused' });
  expect(after.get(owner, last.jobId)).toMatchObject({ state: 'queued', position: 0 });
});

test('a job that ends every server is set aside, and one that finishes steps is not', async () => {
  const database = memoryDatabase();
  const serve = async (doStep: boolean): Promise<Jobs> => {
    const { work, run, runs } = createManualWork();
    const jobs = await openTestJobs(database, work);
    if (jobs.list(owner).length === 0) jobs.create(owner, requestOf());
    if (jobs.list(owner)[0]?.state === 'paused') return jobs;
    await run(0);
    if (doStep) runs[0]?.hooks.onStep();
    return jobs;
  };
  for (const doStep of [true, true, true, true, false, false, false]) await serve(doStep);
  const jobs = await serve(false);
  expect(jobs.list(owner)[0]?.error?.message).toContain('the server ended 3 times');
});

test('a server that stops queues the running job first, and counts nothing against it', async () => {
  const { jobs, run, database, events } = await createFixture();
  const { jobId } = jobs.create(owner, requestOf());
  const next = jobs.create(owner, requestOf());
  const { hooks } = await run(0);
  const told: string[] = [];
  jobs.subscribe(owner, (view) => told.push(`${view.jobId} ${view.state} ${view.position ?? '-'}`));
  jobs.subscribePlaces(owner, (places) => told.push(...places.map((place) => `${place.jobId} at ${place.position}`)));
  await turn();
  await jobs.close();
  expect(hooks.signal.aborted).toBe(true);
  expect(told).toEqual([`${jobId} queued 0`, `${next.jobId} at 1`]);
  expect(events).toEqual(['sweep ']);
  expect(database.get('SELECT server_deaths FROM jobs WHERE job_id = ?', jobId)).toMatchObject({
    server_deaths: 0,
  });
});

test('a job that fails tells its client no path of the server', async () => {
  const { jobs, run } = await createFixture();
  const { jobId } = jobs.create(owner, requestOf());
  const failure = "ENOENT: no such file or directory, open '/srv/data/jobs/x/edit.latents'";
  (await run(0)).ending.reject(new Error(failure));
  const { error } = await over(jobs, jobId);
  expect(error?.message).toContain("open 'edit.latents'");
  expect(error?.message).not.toContain('/srv');
});

test('a job that finds no file handle for a moment is begun again, and does not fail', async () => {
  const { jobs, run } = await createFixture();
  const { jobId } = jobs.create(owner, requestOf());
  const noHandles = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
  (await run(0)).ending.reject(noHandles);
  const { ending } = await run(1);
  expect(jobs.get(owner, jobId)).toMatchObject({ state: 'running', error: null });
  ending.resolve(outcome);
  expect(await over(jobs, jobId)).toMatchObject({ state: 'done', resumes: 0 });
});
