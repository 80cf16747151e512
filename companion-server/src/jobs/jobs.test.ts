import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { defaultSettings } from '../../../protocol/edit-settings.ts';
import { isOutcome, type JobView } from '../../../protocol/job.ts';
import { createDeferred, type Deferred } from '../../../test/deferred.ts';
import { fakeProgress, fakeReport } from '../../../test/fixtures/engines/report.ts';
import { CanceledError, EditError } from '../errors.ts';
import { openDatabase, type Database } from '../store/database.ts';
import type { JobRequest } from './job-table.ts';
import { jobMigrations } from './job-table.ts';
import { openJobs, type Jobs } from './jobs.ts';
import type { JobHooks, JobOutcome, JobWork } from './work.ts';

const owner = 'a'.repeat(32);
const stranger = 'b'.repeat(32);
const outcome: JobOutcome = {
  report: fakeReport,
  result: { sizeBytes: 3, sha256: '0'.repeat(64) },
};
const crash = new EditError('engine-crashed', 'It crashed.');

const requestOf = (changes: Partial<JobRequest> = {}): JobRequest => ({
  key: randomBytes(8).toString('hex'),
  clipId: 'c'.repeat(32),
  settings: { ...defaultSettings(), prompt: 'a wolf' },
  model: null,
  device: 'cpu',
  priority: 0,
  ...changes,
});

interface Run {
  readonly jobId: string;
  readonly hooks: JobHooks;
  readonly ending: Deferred<JobOutcome>;
}

/** Work that ends when the test says so; stopped work ends at once. */
function createManualWork() {
  const runs: Run[] = [];
  const events: string[] = [];
  let started = createDeferred<undefined>();
  const work: JobWork = {
    check: ({}, { clipId }) => {
      if (clipId === 'd'.repeat(32)) throw new EditError('clip-missing', 'There is no such clip.');
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
  const run = async (index: number): Promise<Run> => {
    for (;;) {
      const found = runs[index];
      if (found !== undefined) return found;
      await started.promise;
    }
  };
  return { work, runs, run, events };
}

async function openTestJobs(database: Database, work: JobWork): Promise<Jobs> {
  const jobs = await openJobs({ database, work, retryMs: 1 });
  onTestFinished(() => jobs.close());
  return jobs;
}

async function createFixture() {
  const database = openDatabase(':memory:', [jobMigrations]);
  const manual = createManualWork();
  const jobs = await openTestJobs(database, manual.work);
  return { ...manual, database, jobs };
}

/** Resolves with the first view of the job that satisfies `condition`, the present one included. */
function when(jobs: Jobs, jobId: string, condition: (view: JobView) => boolean): Promise<JobView> {
  const now = jobs.get(owner, jobId);
  if (condition(now)) return Promise.resolve(now);
  return new Promise((resolve) => {
    const stop = jobs.subscribe(owner, (view) => {
      if (view.jobId !== jobId || !condition(view)) return;
      stop();
      resolve(view);
    });
  });
}

const over = (jobs: Jobs, jobId: string): Promise<JobView> =>
  when(jobs, jobId, (view) => isOutcome(view.state));

function queueOf(jobs: Jobs): string[] {
  return jobs
    .list(owner)
    .filter(({ state }) => state === 'queued')
    .sort((a, b) => (a.position ?? 0) - (b.position ?? 0))
    .map(({ jobId }) => jobId);
}

test('jobs run one at a time in their order, and each outcome is told', async () => {
  const { jobs, run, runs, events } = await createFixture();
  const told: string[] = [];
  jobs.subscribe(owner, ({ jobId, state, position }) =>
    told.push(`${jobId} ${state} ${position ?? '-'}`),
  );
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
    ...[`${first.jobId} running -`, `${second.jobId} queued 0`, `${first.jobId} running -`],
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
  const request = requestOf({ clipId: 'd'.repeat(32) });
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
  const database = openDatabase(':memory:', [jobMigrations]);
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

test('a job that fails says why, leaves nothing, and the next one runs', async () => {
  const { jobs, run, events } = await createFixture();
  const { jobId } = jobs.create(owner, requestOf());
  jobs.create(owner, requestOf());
  (await run(0)).ending.reject(new EditError('ffmpeg-failed', 'It cannot be read.'));
  await run(1);
  expect(jobs.get(owner, jobId).error).toMatchObject({ code: 'ffmpeg-failed', retryable: false });
  expect(events).toContain(`discard ${jobId}`);
});

test('a job whose engine dies twice is set aside, and the next one runs', async () => {
  const { jobs, run } = await createFixture();
  const { jobId } = jobs.create(owner, requestOf());
  const next = jobs.create(owner, requestOf());
  (await run(0)).ending.reject(crash);
  const again = await run(1);
  expect(again.jobId).toBe(jobId);
  again.ending.reject(crash);
  expect((await run(2)).jobId).toBe(next.jobId);
  const { state, error, resumes } = jobs.get(owner, jobId);
  expect([state, error?.code, resumes]).toEqual(['failed', 'engine-crashed', 1]);
  expect(error?.message).toContain('set aside');
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
  const database = openDatabase(':memory:', [jobMigrations]);
  const serve = async (doStep: boolean): Promise<Jobs> => {
    const { work, run, runs } = createManualWork();
    const jobs = await openTestJobs(database, work);
    if (jobs.list(owner).length === 0) jobs.create(owner, requestOf());
    if (jobs.list(owner)[0]?.state === 'failed') return jobs;
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
  await jobs.close();
  expect(hooks.signal.aborted).toBe(true);
  expect(told).toEqual([`${jobId} queued 0`, `${next.jobId} queued 1`]);
  expect(events).toEqual(['sweep ']);
  expect(database.get('SELECT server_deaths FROM jobs WHERE job_id = ?', jobId)).toMatchObject({
    server_deaths: 0,
  });
});

test('an outcome that the disk refuses is written when it takes it', async () => {
  const database = openDatabase(':memory:', [jobMigrations]);
  let refusals = 0;
  const refusing: Database = {
    ...database,
    transaction(work) {
      if (refusals-- > 0) throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
      return database.transaction(work);
    },
  };
  const { work, run } = createManualWork();
  const jobs = await openTestJobs(refusing, work);
  const { jobId } = jobs.create(owner, requestOf());
  const { ending } = await run(0);
  refusals = 1;
  expect(() => jobs.create(owner, requestOf())).toThrow('full');
  refusals = 3;
  ending.resolve(outcome);
  expect(await over(jobs, jobId)).toMatchObject({ state: 'done', result: outcome.result });
});

test('a server stops although the disk is full, and the next one goes on with its job', async () => {
  const database = openDatabase(':memory:', [jobMigrations]);
  let isFull = false;
  const refusing: Database = {
    ...database,
    transaction(work) {
      if (isFull) throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
      return database.transaction(work);
    },
  };
  const first = createManualWork();
  const jobs = await openTestJobs(refusing, first.work);
  const { jobId } = jobs.create(owner, requestOf());
  const { hooks } = await first.run(0);
  isFull = true;
  await jobs.close();
  expect(hooks.signal.aborted).toBe(true);
  const second = createManualWork();
  await openTestJobs(database, second.work);
  expect(await second.run(0)).toMatchObject({ jobId });
});

test('a step that the disk refuses to remember does not disturb the engine', async () => {
  const database = openDatabase(':memory:', [jobMigrations]);
  const killed = createManualWork();
  const { jobId } = (await openTestJobs(database, killed.work)).create(owner, requestOf());
  await killed.run(0);
  let isFull = false;
  const refusing: Database = {
    ...database,
    transaction(work) {
      if (isFull) throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
      return database.transaction(work);
    },
  };
  const { work, run } = createManualWork();
  const jobs = await openTestJobs(refusing, work);
  const { hooks, ending } = await run(0);
  isFull = true;
  hooks.onStep();
  isFull = false;
  ending.resolve(outcome);
  expect(await over(jobs, jobId)).toMatchObject({ state: 'done' });
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
          const jobId = pick(fitting.map((view) => view.jobId), step.place); // prettier-ignore
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
