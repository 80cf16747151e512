// What an owner does with jobs that wait or run: pause, resume, move, cancel, delete.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fakeProgress } from '../../../test/fixtures/engines/report.ts';
import { createFixture, memoryDatabase, over, owner, requestOf } from '../../../test/job-fixture.ts';
import { createManualWork, outcome } from '../../../test/manual-work.ts';
import { openJobs, type Jobs } from './jobs.ts';

test('a paused job stops, lets others run, and goes on when it is resumed', async () => {
  const { jobs, run, events } = await createFixture();
  const first = jobs.create(owner, requestOf());
  const second = jobs.create(owner, requestOf());
  const { hooks } = await run(0);
  hooks.onProgress(fakeProgress(1, 2));
  expect(jobs.pause(owner, first.jobId)).toMatchObject({ state: 'paused', progress: { step: 1 } });
  expect(hooks.signal.aborted).toBe(true);
  const other = await run(1);
  expect(other.jobId).toBe(second.jobId);
  expect(jobs.resume(owner, first.jobId)).toMatchObject({ state: 'queued', position: 0 });
  other.ending.resolve(outcome);
  expect((await run(2)).jobId).toBe(first.jobId);
  expect(jobs.get(owner, first.jobId)).toMatchObject({ state: 'running', resumes: 1 });
  expect(events).not.toContain(`discard ${first.jobId}`);
});

test('a job that is paused and resumed at once is stopped before it goes on', async () => {
  const { jobs, run, runs } = await createFixture();
  const { jobId } = jobs.create(owner, requestOf());
  await run(0);
  jobs.pause(owner, jobId);
  jobs.resume(owner, jobId);
  expect(runs).toHaveLength(1);
  const { ending } = await run(1);
  ending.resolve(outcome);
  expect(await over(jobs, jobId)).toMatchObject({ state: 'done', resumes: 1 });
});

test('cancel is written and told at once, and its work is stopped and discarded', async () => {
  const { jobs, run, events } = await createFixture();
  const running = jobs.create(owner, requestOf());
  const queued = jobs.create(owner, requestOf());
  const { hooks } = await run(0);
  expect(jobs.cancel(owner, queued.jobId).state).toBe('canceled');
  expect(jobs.cancel(owner, running.jobId).state).toBe('canceled');
  expect(hooks.signal.aborted).toBe(true);
  expect(jobs.cancel(owner, running.jobId).state).toBe('canceled');
  expect(jobs.resume(owner, running.jobId).state).toBe('canceled');
  await jobs.remove(owner, running.jobId);
  expect(events).toContain(`discard ${queued.jobId}`);
  expect(events).toContain(`discard ${running.jobId}`);
  expect(jobs.list(owner).map(({ jobId }) => jobId)).toEqual([queued.jobId]);
});

test('a job whose files cannot be removed is deleted all the same, and its files are left for the next start', async () => {
  const manual = createManualWork();
  const busy = Object.assign(new Error('open elsewhere'), { code: 'EBUSY' });
  const work = { ...manual.work, discard: () => Promise.reject(busy) };
  const failures: unknown[] = [];
  const database = memoryDatabase();
  const onFailure = (...failure: unknown[]): void => void failures.push(failure);
  const jobs = await openJobs({ database, work, onFailure });
  const { jobId } = jobs.create(owner, requestOf());
  await manual.run(0);
  jobs.pause(owner, jobId);
  await jobs.remove(owner, jobId);
  expect(jobs.list(owner)).toEqual([]);
  expect(failures).toContainEqual([jobId, busy]);
  await jobs.close();
});

function queueOf(jobs: Jobs): string[] {
  return jobs
    .list(owner)
    .filter(({ state }) => state === 'queued')
    .sort((a, b) => (a.position ?? 0) - (b.position ?? 0))
    .map(({ jobId }) => jobId);
}

test('whatever is queued, moved, paused and resumed, urgent jobs come first and no place is lost', async () => {
  const place = fc.nat(20);
  const act = fc.oneof(
    fc.record({ type: fc.constant('create' as const), priority: fc.integer({ min: -2, max: 2 }) }),
    fc.record({ type: fc.constant('move' as const), place, before: fc.option(place) }),
    fc.record({ type: fc.constantFrom('pause' as const, 'resume' as const), place }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
      const { jobs, run } = await createFixture();
      jobs.create(owner, requestOf({ priority: 2 }));
      await run(0);
      for (const step of acts) {
        const queue = queueOf(jobs);
        const pick = (among: readonly string[], index: number) => among[index % among.length];
        if (step.type === 'create') {
          const made = jobs.create(owner, requestOf({ priority: step.priority }));
          expect(queueOf(jobs)).toHaveLength(queue.length + 1);
          expect(jobs.get(owner, made.jobId).position).toBe(made.position);
        } else if (step.type === 'move') {
          const jobId = pick(queue, step.place);
          if (jobId === undefined) continue;
          const before = step.before === null ? null : (pick(queue, step.before) ?? null);
          jobs.move(owner, jobId, before);
          if (before === jobId) continue;
          const rest = queue.filter((other) => other !== jobId);
          rest.splice(before === null ? rest.length : rest.indexOf(before), 0, jobId);
          expect(queueOf(jobs)).toEqual(rest);
        } else {
          const state = step.type === 'pause' ? 'queued' : 'paused';
          const fitting = jobs.list(owner).filter((view) => view.state === state);
          const jobId = pick(
            fitting.map((view) => view.jobId),
            step.place,
          );
          if (jobId !== undefined) jobs[step.type](owner, jobId);
        }
        const places = jobs.list(owner).flatMap(({ position }) => position ?? []);
        expect([...places].sort((a, b) => a - b)).toEqual([...places.keys()]);
        const priorities = queueOf(jobs).map((jobId) => jobs.get(owner, jobId).priority);
        expect(priorities).toEqual([...priorities].sort((a, b) => b - a));
      }
      await jobs.close();
    }),
    { numRuns: 60 },
  );
});
