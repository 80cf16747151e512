// What every JobStore keeps to.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JobChange } from '../../companion-server/src/jobs/job.ts';
import type { JobEvent, JobLimits, JobStore, NewJob } from '../../companion-server/src/jobs/store.ts';
import { fakeProgress, fakeReport } from '../fixtures/engines/report.ts';
import { owner, requestOf, stranger } from '../job-fixture.ts';

/** What is kept, whoever opens it. */
export interface KeptJobRows {
  /** The store of another process on the same jobs. */
  open(): JobStore;
}

const limits: JobLimits = { all: 5, unfinished: 3 };
const finish: JobChange = { type: 'finish', report: fakeReport, result: { sizeBytes: 3, sha256: '0'.repeat(64) } };

let made = 0;
const jobOf = (changes: Partial<NewJob['request']> = {}, whose = owner): NewJob => ({
  jobId: (++made).toString(16).padStart(32, '0'),
  owner: whose,
  createdAt: '2026-11-27T12:00:00.000Z',
  request: requestOf(changes),
});

/** Declares the tests. `makeJobs`: of which there are none yet. */
export function describeJobStore(name: string, makeJobs: () => KeptJobRows): void {
  const openNew = (): JobStore => makeJobs().open();

  async function addAll(store: JobStore, jobs: readonly NewJob[]): Promise<readonly string[]> {
    for (const job of jobs) await store.add(job, { all: 100, unfinished: 100 });
    return jobs.map(({ jobId }) => jobId);
  }

  const orderOf = async (store: JobStore) => (await store.queue()).map(({ jobId }) => jobId);

  describe(`${name} as a store of jobs`, () => {
    test('keeps a job as it was added, with its position', async () => {
      const store = openNew();
      const [first, second] = [jobOf(), jobOf({ model: 'big', device: 'cuda', priority: -3 })];
      await addAll(store, [first, second]);
      expect(await store.get(second.jobId)).toMatchObject({ ...second, queuePosition: 1, job: { state: 'queued' } });
      expect((await store.getByKey(owner, first.request.key))?.jobId).toBe(first.jobId);
      expect(await store.getByKey(stranger, first.request.key)).toBeUndefined();
      expect(await store.get('f'.repeat(32))).toBeUndefined();
    });

    test('adds one job for one key of an owner, and not more than the owner may have', async () => {
      const store = openNew();
      const [first, again] = [jobOf({ key: 'the-same-key' }), jobOf({ key: 'the-same-key' })];
      const rows = await Promise.all([store.add(first, limits), store.add(again, limits)]);
      expect(rows.map(({ jobId }) => jobId)).toEqual([first.jobId, first.jobId]);
      const more = await Promise.allSettled([1, 2, 3, 4].map(() => store.add(jobOf(), limits)));
      expect(more.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
      expect(more[2]).toMatchObject({ reason: { code: 'limit-reached' } });
      for (const { jobId } of await store.list(owner, null, 10)) await store.change(jobId, { type: 'cancel' });
      await store.add(jobOf(), limits);
      await store.add(jobOf(), limits);
      await expect(store.add(jobOf(), limits)).rejects.toThrow(
        'may have 5 jobs, 3 of them not over; there are 5 and 2.',
      );
      await store.add(jobOf({}, stranger), limits);
    });

    test('hands out each job once, the most urgent first, however many ask at a time', async () => {
      const store = openNew();
      const [low, high, alsoLow] = await addAll(store, [jobOf(), jobOf({ priority: 1 }), jobOf()]);
      const claimed = await Promise.all([1, 2, 3, 4].map(() => store.claimNext()));
      expect(claimed.map((row) => row?.jobId)).toEqual([high, low, alsoLow, undefined]);
      expect(claimed[0]).toMatchObject({ job: { state: 'running', starts: 1 }, queuePosition: null });
      expect(await store.queue()).toEqual([]);
    });

    test('tells of every change when it is kept, and whether the queue has changed by it', async () => {
      const store = openNew();
      const told: string[] = [];
      const say = ({ row, isQueueChanged }: JobEvent): void =>
        void told.push(`${row.job.state} ${row.queuePosition ?? '-'} ${isQueueChanged}`);
      const stop = store.subscribe(say);
      const [jobId = ''] = await addAll(store, [jobOf()]);
      await store.claimNext();
      await store.change(jobId, { type: 'progress', progress: fakeProgress(1, 2) });
      await store.change(jobId, { type: 'step' });
      await store.change(jobId, { type: 'pause' });
      await store.change(jobId, { type: 'pause' });
      await store.change(jobId, { type: 'resume' });
      stop();
      await store.change(jobId, { type: 'cancel' });
      expect(told).toEqual(['queued 0 true', 'running - true', 'running - false', 'paused - true', 'queued 0 true']);
    });

    test('returns the job after a change, the same where it does not fit, and none where there is none', async () => {
      const store = openNew();
      const [jobId = ''] = await addAll(store, [jobOf()]);
      await store.claimNext();
      expect(await store.change(jobId, finish)).toMatchObject({ job: { state: 'done', report: fakeReport } });
      expect(await store.change(jobId, { type: 'cancel' })).toMatchObject({ job: { state: 'done' } });
      expect(await store.change('f'.repeat(32), { type: 'cancel' })).toBeUndefined();
    });

    test('puts what was interrupted first, and what was resumed behind the jobs that are as urgent', async () => {
      const store = openNew();
      const [first = '', second = '', third = ''] = await addAll(store, [jobOf(), jobOf(), jobOf({ priority: -1 })]);
      await store.claimNext();
      await store.change(first, { type: 'stop' });
      expect(await orderOf(store)).toEqual([first, second, third]);
      await store.change(first, { type: 'pause' });
      expect(await store.change(first, { type: 'resume' })).toMatchObject({ queuePosition: 1 });
      expect(await orderOf(store)).toEqual([second, first, third]);
    });

    test('moves a queued job before another or behind all, with the priority of its new position', async () => {
      const store = openNew();
      const [first = '', second = '', third = ''] = await addAll(store, [jobOf({ priority: 2 }), jobOf(), jobOf()]);
      expect(await store.move(third, first)).toMatchObject({ queuePosition: 0, request: { priority: 2 } });
      expect(await store.move(first, null)).toMatchObject({ queuePosition: 2, request: { priority: 0 } });
      expect(await orderOf(store)).toEqual([third, second, first]);
      await store.claimNext();
      await expect(store.move(third, null)).rejects.toMatchObject({ code: 'invalid-request' });
      await expect(store.move(first, third)).rejects.toMatchObject({ code: 'invalid-request' });
      await expect(store.move('f'.repeat(32), null)).rejects.toMatchObject({ code: 'job-missing' });
    });

    test('has the order of a plain list after any moves', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(fc.nat(5), fc.option(fc.nat(5))), { maxLength: 20 }), async (moves) => {
          const store = openNew();
          const list = [
            ...(await addAll(
              store,
              Array.from({ length: 6 }, () => jobOf()),
            )),
          ];
          for (const [from, before] of moves) {
            const jobId = list[from] ?? '';
            const beforeJobId = before === null ? null : (list[before] ?? null);
            await store.move(jobId, beforeJobId);
            if (beforeJobId === jobId) continue;
            list.splice(from, 1);
            list.splice(beforeJobId === null ? list.length : list.indexOf(beforeJobId), 0, jobId);
          }
          expect(await orderOf(store)).toEqual(list);
          const positions = await Promise.all(list.map(async (jobId) => (await store.get(jobId))?.queuePosition));
          expect(positions).toEqual([...list.keys()]);
        }),
        { numRuns: 30 },
      );
    });

    test('lists the jobs of an owner in the order of their making, from one of them on', async () => {
      const store = openNew();
      const ids = await addAll(store, [jobOf({ priority: -2 }), jobOf(), jobOf({}, stranger), jobOf({ priority: 2 })]);
      const listed = async (after: string | null, most: number) =>
        (await store.list(owner, after, most)).map(({ jobId }) => jobId);
      expect(await listed(null, 10)).toEqual([ids[0], ids[1], ids[3]]);
      expect(await listed(ids[0] ?? '', 1)).toEqual([ids[1]]);
      expect(await listed(ids[3] ?? '', 10)).toEqual([]);
    });

    test('keeps everything but progress for the process that follows, which finds what was running', async () => {
      const jobs = makeJobs();
      const before = jobs.open();
      const [first = '', second = ''] = await addAll(before, [jobOf(), jobOf()]);
      await before.claimNext();
      await before.change(first, { type: 'engine-died', error: { code: 'engine-crashed', message: 'It crashed.' } });
      await before.claimNext();
      const after = jobs.open();
      await after.recover();
      expect(await after.get(first)).toMatchObject({
        queuePosition: 0,
        job: { state: 'queued', starts: 2, engineDeaths: 1, serverDeaths: 1 },
      });
      expect(await after.get(second)).toMatchObject({ queuePosition: 1 });
      await after.claimNext();
      await after.recover();
      expect((await after.get(first))?.job.state).toBe('running');
    });

    test('counts and finds by state, clip and model, and forgets what is removed', async () => {
      const store = openNew();
      const [first = '', second = ''] = await addAll(store, [jobOf({ model: 'm' }), jobOf({ clipId: 'e'.repeat(32) })]);
      await store.claimNext();
      await store.change(first, finish);
      expect(await store.countByState()).toEqual({ queued: 1, running: 0, paused: 0, done: 1, failed: 0, canceled: 0 });
      expect(await store.states()).toEqual(new Map([[first, 'done'] as const, [second, 'queued'] as const]));
      expect(await store.needsClip(owner, 'e'.repeat(32))).toBe(true);
      expect(await store.needsClip(owner, 'c'.repeat(32))).toBe(false);
      expect((await store.unfinished()).map(({ jobId }) => jobId)).toEqual([second]);
      const { settings } = requestOf();
      const edge = { follows: true, invert: false, grow: 0, feather: 0, asAlpha: false };
      const mask = { matte: { sha256: '5'.repeat(64), channel: 'luma', frame: 0 }, ...edge } as const;
      const keyframes = [{ frame: 1, sha256: '6'.repeat(64) }];
      await addAll(store, [jobOf({ settings: { ...settings, mask, keyframes } })]);
      const needed = ['5', '6', '7'].map((digit) => store.needsClip(owner, digit.repeat(32)));
      expect(await Promise.all(needed)).toEqual([true, true, false]);
      expect([await store.lastReport('m'), await store.lastReport(null)]).toEqual([fakeReport, null]);
      await store.remove(first);
      await store.remove(first);
      expect(await store.get(first)).toBeUndefined();
      expect(await store.list(owner, null, 10)).toHaveLength(2);
    });
  });
}
