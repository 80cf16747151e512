// What the queue takes, tells, and hands over, and to whom.

import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { fakeProgress } from '../../../test/fixtures/engines/report.ts';
import { createFixture, memoryDatabase, openTestJobs, over, owner, requestOf } from '../../../test/job-fixture.ts';
import { createManualWork, missingClip, outcome } from '../../../test/manual-work.ts';
import { EditError } from '../errors.ts';

const stranger = 'b'.repeat(32);

test('jobs run one at a time in their order, and each outcome is told', async () => {
  const { jobs, run, runs, events } = await createFixture();
  const told: string[] = [];
  jobs.subscribe(owner, ({ jobId, state, position }) => told.push(`${jobId} ${state} ${position ?? '-'}`));
  const first = jobs.create(owner, requestOf());
  const second = jobs.create(owner, requestOf());
  expect([first.state, first.position, second.position]).toEqual(['queued', 0, 1]);
  const { hooks, ending } = await run(0);
  hooks.onProgress(fakeProgress(1, 2));
  expect(jobs.get(owner, first.jobId)).toMatchObject({ progress: { step: 1 }, state: 'running' });
  expect(runs).toHaveLength(1);
  ending.resolve(outcome);
  await run(1);
  expect(jobs.get(owner, first.jobId)).toMatchObject({ state: 'done', ...outcome, resumes: 0 });
  expect(events).toEqual(['sweep ', `tidy ${first.jobId}`]);
  expect(told).toEqual([
    ...[`${first.jobId} queued 0`, `${second.jobId} queued 1`],
    ...[`${first.jobId} running -`, `${first.jobId} running -`],
    ...[`${first.jobId} done -`, `${second.jobId} running -`],
  ]);
});

test('the same key is the same job, whatever else is asked for, and every owner has keys of its own', async () => {
  const { jobs } = await createFixture();
  const request = requestOf();
  const job = jobs.create(owner, request);
  expect(jobs.create(owner, { ...request }).jobId).toBe(job.jobId);
  expect(jobs.list(owner)).toHaveLength(1);
  expect(jobs.create(owner, { ...request, priority: 5 })).toEqual(jobs.get(owner, job.jobId));
  expect(jobs.create(stranger, request).jobId).not.toBe(job.jobId);
});

test('what cannot be done is refused before it is queued', async () => {
  const { jobs } = await createFixture();
  const request = requestOf({ clipId: missingClip });
  expect(() => jobs.create(owner, request)).toThrow('no such clip');
  expect(jobs.list(owner)).toEqual([]);
});

test('a list goes on after a job, and what is asked of all jobs is answered without it', async () => {
  const { jobs, run } = await createFixture();
  const keys = ['one', 'two', 'three'];
  const made = keys.map((key) => jobs.create(owner, requestOf({ key })).jobId);
  const other = jobs.create(stranger, requestOf());
  await run(0);
  const all = jobs.list(owner).map(({ jobId }) => jobId);
  expect([...all].sort()).toEqual([...made].sort());
  expect(jobs.list(owner, null, 2).map(({ jobId }) => jobId)).toEqual(all.slice(0, 2));
  expect(jobs.list(owner, all[1]).map(({ jobId }) => jobId)).toEqual(all.slice(2));
  expect(() => jobs.list(owner, other.jobId)).toThrow('There is no job');
  expect([jobs.hasKey(owner, 'two'), jobs.hasKey(stranger, 'two')]).toEqual([true, false]);
  expect(jobs.ownerOf(other.jobId)).toBe(stranger);
  expect(jobs.countByState()).toMatchObject({ running: 1, queued: 3, done: 0, canceled: 0 });
  const { clipId } = other;
  expect(jobs.needsClip(stranger, clipId)).toBe(true);
  jobs.cancel(stranger, other.jobId);
  expect([jobs.needsClip(stranger, clipId), jobs.needsClip(owner, clipId)]).toEqual([false, true]);
});

test("another client's job is as good as none", async () => {
  const { jobs } = await createFixture();
  const { jobId } = jobs.create(owner, requestOf());
  const missing = expect.objectContaining({ code: 'job-missing' }) as unknown;
  const attempts = [
    () => jobs.get(stranger, jobId),
    () => jobs.cancel(stranger, jobId),
    () => jobs.pause(stranger, jobId),
    () => jobs.resume(stranger, jobId),
    () => jobs.move(stranger, jobId, null),
    () => jobs.result(stranger, jobId),
  ];
  for (const attempt of attempts) {
    expect(attempt).toThrow(missing);
  }
  await expect(jobs.remove(stranger, jobId)).rejects.toEqual(missing);
  expect(jobs.list(stranger)).toEqual([]);
  expect(jobs.get(owner, jobId).state).not.toBe('canceled');
});

test('a job that fails says why, leaves nothing, and the next one runs', async () => {
  const { jobs, run, events } = await createFixture();
  const { jobId } = jobs.create(owner, requestOf());
  jobs.create(owner, requestOf());
  (await run(0)).ending.reject(new EditError('ffmpeg-failed', 'It cannot be read.'));
  await run(1);
  expect(jobs.get(owner, jobId).error).toMatchObject({ code: 'ffmpeg-failed' });
  expect(events).toContain(`discard ${jobId}`);
});

test('a result that is not the one that was written is refused', async () => {
  const { jobs, run, work } = await createFixture();
  const request = requestOf();
  const { jobId } = jobs.create(owner, request);
  expect(() => jobs.result(owner, jobId)).toThrow('has no result');
  (await run(0)).ending.resolve(outcome);
  await over(jobs, jobId);
  expect(() => jobs.result(owner, jobId)).toThrow('must have 3 bytes; on the disk it has none.');
  const path = work.resultPath(jobId, request);
  onTestFinished(() => rm(path, { force: true }));
  writeFileSync(path, 'abc');
  expect(jobs.result(owner, jobId)).toEqual({ path, ...outcome.result });
  writeFileSync(path, 'abcd');
  expect(() => jobs.result(owner, jobId)).toThrow('on the disk it has 4.');
});

test('what changes in a moment of the places of jobs is one message to each owner, of theirs alone', async () => {
  const { jobs, run } = await createFixture();
  jobs.create(owner, requestOf({ priority: 9 }));
  const mine = Array.from({ length: 3 }, () => jobs.create(owner, requestOf()).jobId);
  const theirs = jobs.create(stranger, requestOf()).jobId;
  await run(0);
  await turn();
  const told: unknown[] = [];
  jobs.subscribePlaces(owner, (places) => told.push(['mine', places]));
  jobs.subscribePlaces(stranger, (places) => told.push(['theirs', places]));
  const views: string[] = [];
  jobs.subscribe(owner, ({ jobId }) => views.push(jobId));
  jobs.cancel(owner, mine[0] ?? '');
  const last = jobs.create(owner, requestOf());
  await turn();
  expect(told).toEqual([
    ['mine', mine.slice(1).map((jobId, position) => ({ jobId, position }))],
    ['theirs', [{ jobId: theirs, position: 2 }]],
  ]);
  expect(views).toEqual([mine[0], last.jobId]);
  expect(jobs.get(owner, last.jobId).position).toBe(3);
});

test('a change of a long queue tells what has moved without a look at each job', async () => {
  const queries: string[] = [];
  const database = memoryDatabase();
  const { work, run } = createManualWork();
  const jobs = await openTestJobs(
    {
      ...database,
      get(sql, ...parameters) {
        queries.push(sql);
        return database.get(sql, ...parameters);
      },
      all(sql, ...parameters) {
        queries.push(sql);
        return database.all(sql, ...parameters);
      },
    },
    work,
  );
  for (let client = 0; client < 10; client++) {
    for (let i = 0; i < 20; i++) jobs.create(String(client).repeat(32), requestOf());
  }
  await run(0);
  await turn();
  const told: number[] = [];
  for (let client = 0; client < 10; client++) {
    jobs.subscribePlaces(String(client).repeat(32), (places) => told.push(places.length));
  }
  const [, second] = jobs.list('0'.repeat(32));
  queries.length = 0;
  jobs.cancel('0'.repeat(32), second?.jobId ?? '');
  await turn();
  expect(told).toEqual([18, ...Array<number>(9).fill(20)]);
  expect(queries.length).toBeLessThan(12);
});
