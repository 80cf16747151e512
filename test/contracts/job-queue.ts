// What every JobQueue keeps to: order, keys, owners and events here; what its owners change, and what becomes of jobs whose
// engine or server dies, in the files beside it.

import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import type { JobView } from '../../protocol/job.ts';
import { maxWaitingJobs } from '../../protocol/limits.ts';
import { fakeProgress } from '../fixtures/engines/report.ts';
import { over, owner, requestOf, stranger } from '../job-fixture.ts';
import { outcome } from '../manual-executor.ts';
import { describeJobChanges } from './job-changes.ts';
import { describeJobInterruptions } from './job-interruptions.ts';
import { openManually, type KeptJobs } from './kept-jobs.ts';

/** Declares the tests. `makeJobs`: of which there are none yet. */
export function describeJobQueue(name: string, makeJobs: () => KeptJobs): void {
  describe(`${name} as a queue of jobs`, () => {
    test('runs one job at a time in their order, and tells each outcome', async () => {
      const { queue, run, runs, events } = await openManually(makeJobs());
      const told: string[] = [];
      queue.subscribe(owner, {
        onJob: ({ jobId, state, position }) => told.push(`${jobId} ${state} ${position ?? '-'}`),
        onPositions: () => undefined,
      });
      const first = await queue.add(owner, requestOf());
      const { hooks, ending } = await run(0);
      const second = await queue.add(owner, requestOf());
      const third = await queue.add(owner, requestOf());
      expect([first.state, first.position, second.position, third.position]).toEqual(['queued', 0, 0, 1]);
      hooks.onProgress(fakeProgress(1, 2));
      expect(await queue.get(owner, first.jobId)).toMatchObject({ progress: { step: 1 }, state: 'running' });
      expect(runs).toHaveLength(1);
      ending.resolve(outcome);
      await run(1);
      expect(await queue.get(owner, first.jobId)).toMatchObject({ state: 'done', ...outcome, resumes: 0 });
      expect(events).toEqual(['sweep ', `tidy ${first.jobId}`]);
      expect(told).toEqual([
        ...[`${first.jobId} queued 0`, `${first.jobId} running -`],
        ...[`${second.jobId} queued 0`, `${third.jobId} queued 1`],
        ...[`${first.jobId} running -`, `${first.jobId} done -`, `${second.jobId} running -`],
      ]);
    });

    test('tells the owner what a running job looks like, and nobody else, and keeps nothing of it', async () => {
      const { queue, run } = await openManually(makeJobs());
      const seen: string[] = [];
      for (const one of [owner, stranger]) {
        queue.subscribe(one, {
          onJob: () => undefined,
          onPicture: (jobId, { jpeg, frameIndex }) => seen.push(`${one} ${jobId} ${jpeg.join()} ${frameIndex}`),
          onPositions: () => undefined,
        });
      }
      const { jobId } = await queue.add(owner, requestOf());
      const { hooks } = await run(0);
      const before = await queue.get(owner, jobId);
      hooks.onPicture({ jpeg: Uint8Array.of(1, 2), frameIndex: 4 });
      expect(seen).toEqual([`${owner} ${jobId} 1,2 4`]);
      expect(await queue.get(owner, jobId)).toEqual(before);
    });

    test('answers who has queued a job before it tells of its start', async () => {
      const { queue, run } = await openManually(makeJobs());
      const heard: string[] = [];
      queue.subscribe(owner, { onJob: ({ state }) => heard.push(state), onPositions: () => undefined });
      const { state } = await queue.add(owner, requestOf());
      heard.push(`answered ${state}`);
      await run(0);
      expect(heard).toEqual(['queued', 'answered queued', 'running']);
    });

    test('takes the same key as the same job, whatever else is asked for, and gives every owner keys of its own', async () => {
      const { queue } = await openManually(makeJobs());
      const request = requestOf();
      const job = await queue.add(owner, request);
      expect((await queue.add(owner, { ...request })).jobId).toBe(job.jobId);
      expect(await queue.list(owner)).toHaveLength(1);
      expect(await queue.add(owner, { ...request, priority: 5 })).toEqual(await queue.get(owner, job.jobId));
      expect((await queue.add(stranger, request)).jobId).not.toBe(job.jobId);
    });

    test('makes one job of two requests with the same key at the same time', async () => {
      const { queue } = await openManually(makeJobs());
      const request = requestOf();
      const [first, second] = await Promise.all([queue.add(owner, request), queue.add(owner, request)]);
      expect(first.jobId).toBe(second.jobId);
      expect(await queue.list(owner)).toHaveLength(1);
    });

    test('refuses a job too many, also of those that are asked for at the same time', async () => {
      const { queue } = await openManually(makeJobs());
      const adding = Array.from({ length: maxWaitingJobs + 1 }, () => queue.add(owner, requestOf()));
      const refused = (await Promise.allSettled(adding)).filter(({ status }) => status === 'rejected');
      expect(refused).toMatchObject([{ reason: { code: 'limit-reached' } }]);
      await queue.add(stranger, requestOf());
    });

    test('lists on after a job, and answers what is asked of all jobs', async () => {
      const { queue, run } = await openManually(makeJobs());
      const made: string[] = [];
      for (const key of ['one', 'two', 'three']) made.push((await queue.add(owner, requestOf({ key }))).jobId);
      const other = await queue.add(stranger, requestOf());
      await run(0);
      const idsOf = (views: readonly JobView[]) => views.map(({ jobId }) => jobId);
      expect(idsOf(await queue.list(owner))).toEqual(made);
      expect(idsOf(await queue.list(owner, null, 2))).toEqual(made.slice(0, 2));
      expect(idsOf(await queue.list(owner, made[1]))).toEqual(made.slice(2));
      await expect(queue.list(owner, other.jobId)).rejects.toThrow('There is no job');
      expect([await queue.hasKey(owner, 'two'), await queue.hasKey(stranger, 'two')]).toEqual([true, false]);
      expect(await queue.ownerOf(other.jobId)).toBe(stranger);
      expect(await queue.countByState()).toMatchObject({ running: 1, queued: 3, done: 0, canceled: 0 });
      expect((await queue.unfinished()).map(({ owner: of, jobId }) => [of, jobId])).toEqual([
        ...made.map((jobId) => [owner, jobId]),
        [stranger, other.jobId],
      ]);
      const { clipId } = other;
      expect(await queue.needsClip(stranger, clipId)).toBe(true);
      await queue.cancel(stranger, other.jobId);
      expect([await queue.needsClip(stranger, clipId), await queue.needsClip(owner, clipId)]).toEqual([false, true]);
    });

    test('needs the control videos of its unfinished jobs as well', async () => {
      const { queue } = await openManually(makeJobs());
      const clip = 'e'.repeat(32);
      const control = { kind: 'own', net: 'depth', clip, scale: 1, start: 0, end: 1, guess: false } as const;
      const { settings } = requestOf();
      const { jobId } = await queue.add(owner, requestOf({ settings: { ...settings, controls: [control] } }));
      expect([await queue.needsClip(owner, clip), await queue.needsClip(stranger, clip)]).toEqual([true, false]);
      await queue.cancel(owner, jobId);
      expect(await queue.needsClip(owner, clip)).toBe(false);
    });

    test('knows the report of the last job by a model that is done', async () => {
      const { queue, run } = await openManually(makeJobs());
      expect(await queue.lastReport(null)).toBeNull();
      const { jobId } = await queue.add(owner, requestOf());
      (await run(0)).ending.resolve(outcome);
      await over(queue, jobId);
      expect(await queue.lastReport(null)).toEqual(outcome.report);
      expect(await queue.lastReport('another')).toBeNull();
    });

    test("has no job of another client's for a client", async () => {
      const { queue } = await openManually(makeJobs());
      const { jobId } = await queue.add(owner, requestOf());
      const attempts = [
        queue.get(stranger, jobId),
        queue.cancel(stranger, jobId),
        queue.pause(stranger, jobId),
        queue.resume(stranger, jobId),
        queue.move(stranger, jobId, null),
        queue.remove(stranger, jobId),
        queue.ownerOf('0'.repeat(32)),
      ];
      for (const attempt of attempts) await expect(attempt).rejects.toMatchObject({ code: 'job-missing' });
      expect(await queue.list(stranger)).toEqual([]);
      expect((await queue.get(owner, jobId)).state).not.toBe('canceled');
    });

    test('tells nobody of jobs after they have stopped listening, and nobody of those of others', async () => {
      const { queue } = await openManually(makeJobs());
      const heard: string[] = [];
      const stop = queue.subscribe(stranger, { onJob: ({ jobId }) => heard.push(jobId), onPositions: () => undefined });
      await queue.add(owner, requestOf());
      const { jobId } = await queue.add(stranger, requestOf());
      stop();
      await queue.cancel(stranger, jobId);
      expect(heard).toEqual([jobId]);
    });

    test('says why a job has failed, without a path of the server, keeps nothing of it, and runs the next one', async () => {
      const { queue, run, events } = await openManually(makeJobs());
      const { jobId } = await queue.add(owner, requestOf());
      await queue.add(owner, requestOf());
      const failure = "ENOENT: no such file or directory, open '/srv/data/jobs/x/edit.latents'";
      (await run(0)).ending.reject(new Error(failure));
      await run(1);
      const { state, error } = await queue.get(owner, jobId);
      expect([state, error?.code]).toEqual(['failed', 'internal']);
      expect(error?.message).toContain("open 'edit.latents'");
      expect(error?.message).not.toContain('/srv');
      expect(events).toContain(`discard ${jobId}`);
    });

    test('tells an owner of their own jobs that have moved, and not of those that have just come', async () => {
      const { queue, run } = await openManually(makeJobs());
      const mine = new Map<string, number>();
      const theirs = new Map<string, number>();
      for (const [one, positions] of [
        [owner, mine],
        [stranger, theirs],
      ] as const) {
        queue.subscribe(one, {
          onJob: () => undefined,
          onPositions(moved) {
            for (const { jobId, position } of moved) positions.set(jobId, position);
          },
        });
      }
      await queue.add(owner, requestOf({ priority: 9 }));
      const ids: string[] = [];
      for (let i = 0; i < 3; i++) ids.push((await queue.add(owner, requestOf())).jobId);
      const other = (await queue.add(stranger, requestOf())).jobId;
      await run(0);
      await turn();
      await queue.cancel(owner, ids[0] ?? '');
      const last = await queue.add(owner, requestOf());
      await vi.waitFor(() => expect(theirs.get(other)).toBe(2));
      expect([...theirs.keys()]).toEqual([other]);
      expect(ids.slice(1).map((jobId) => mine.get(jobId))).toEqual([0, 1]);
      expect(mine.has(last.jobId)).toBe(false);
      expect((await queue.get(owner, last.jobId)).position).toBe(3);
    });
  });

  describeJobChanges(name, makeJobs);
  describeJobInterruptions(name, makeJobs);
}
