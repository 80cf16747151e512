// What the owners of jobs do with those that wait or run: pause, resume, move, cancel, delete. In every JobQueue.

import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { JobQueue } from '../../companion-server/src/jobs/queue.ts';
import { fakeProgress } from '../fixtures/engines/report.ts';
import { over, owner, requestOf } from '../job-fixture.ts';
import { createManualExecutor, outcome } from '../manual-executor.ts';
import { openManually, type KeptJobs } from './kept-jobs.ts';

/** Declares the tests. `makeJobs`: of which there are none yet. */
export function describeJobChanges(name: string, makeJobs: () => KeptJobs): void {
  describe(`${name} as its owners change it`, () => {
    test('stops a paused job, lets others run, and goes on with it when it is resumed', async () => {
      const { queue, run, events } = await openManually(makeJobs());
      const first = await queue.add(owner, requestOf());
      const second = await queue.add(owner, requestOf());
      const { hooks } = await run(0);
      hooks.onProgress(fakeProgress(1, 2));
      expect(await queue.pause(owner, first.jobId)).toMatchObject({ state: 'paused', progress: { step: 1 } });
      expect(hooks.signal.aborted).toBe(true);
      const other = await run(1);
      expect(other.jobId).toBe(second.jobId);
      expect(await queue.resume(owner, first.jobId)).toMatchObject({ state: 'queued', position: 0 });
      other.ending.resolve(outcome);
      expect((await run(2)).jobId).toBe(first.jobId);
      expect(await queue.get(owner, first.jobId)).toMatchObject({ state: 'running', resumes: 1 });
      expect(events).not.toContain(`discard ${first.jobId}`);
    });

    test('stops a job that is paused and resumed at once before it goes on', async () => {
      const { queue, run, runs } = await openManually(makeJobs());
      const { jobId } = await queue.add(owner, requestOf());
      await run(0);
      await queue.pause(owner, jobId);
      await queue.resume(owner, jobId);
      expect(runs).toHaveLength(1);
      const { ending } = await run(1);
      ending.resolve(outcome);
      expect(await over(queue, jobId)).toMatchObject({ state: 'done', resumes: 1 });
    });

    test('writes and tells a cancel at once, stops the work, and discards what there is of it', async () => {
      const { queue, run, events } = await openManually(makeJobs());
      const running = await queue.add(owner, requestOf());
      const queued = await queue.add(owner, requestOf());
      const { hooks } = await run(0);
      expect((await queue.cancel(owner, queued.jobId)).state).toBe('canceled');
      expect((await queue.cancel(owner, running.jobId)).state).toBe('canceled');
      expect(hooks.signal.aborted).toBe(true);
      expect((await queue.cancel(owner, running.jobId)).state).toBe('canceled');
      expect((await queue.resume(owner, running.jobId)).state).toBe('canceled');
      await queue.remove(owner, running.jobId);
      expect(events).toContain(`discard ${queued.jobId}`);
      expect(events).toContain(`discard ${running.jobId}`);
      expect((await queue.list(owner)).map(({ jobId }) => jobId)).toEqual([queued.jobId]);
    });

    test('runs nothing of a job that is canceled in the moment of its start', async () => {
      const { queue, run } = await openManually(makeJobs());
      const { jobId } = await queue.add(owner, requestOf());
      const isStarted = new Promise<void>((resolve) => {
        queue.subscribe(owner, {
          onJob(view) {
            if (view.jobId !== jobId || view.state !== 'running') return;
            void queue.cancel(owner, jobId).then(() => resolve());
          },
          onPositions: () => undefined,
        });
      });
      await isStarted;
      const next = await queue.add(owner, requestOf());
      const first = await run(0);
      if (first.jobId === jobId) expect(first.hooks.signal.aborted).toBe(true);
      const { ending } = first.jobId === jobId ? await run(1) : first;
      ending.resolve(outcome);
      expect((await over(queue, next.jobId)).state).toBe('done');
      expect((await queue.get(owner, jobId)).state).toBe('canceled');
    });

    test('forgets a job whose files cannot be removed, and says why they stay', async () => {
      const manual = createManualExecutor();
      const busy = Object.assign(new Error('open elsewhere'), { code: 'EBUSY' });
      const executor = { ...manual.executor, discard: () => Promise.reject(busy) };
      const failures: unknown[] = [];
      const queue = await makeJobs().open({ executor, onFailure: (...failure) => void failures.push(failure) });
      onTestFinished(() => queue.close());
      const { jobId } = await queue.add(owner, requestOf());
      await manual.run(0);
      await queue.pause(owner, jobId);
      await queue.remove(owner, jobId);
      expect(await queue.list(owner)).toEqual([]);
      expect(failures).toContainEqual([jobId, busy]);
    });

    test('moves queued jobs only', async () => {
      const { queue, run } = await openManually(makeJobs());
      const running = await queue.add(owner, requestOf());
      await run(0);
      const queued = await queue.add(owner, requestOf());
      const refused = { code: 'invalid-request', message: `Job ${running.jobId} is not queued: it is running.` };
      await expect(queue.move(owner, running.jobId, null)).rejects.toMatchObject(refused);
      await expect(queue.move(owner, queued.jobId, running.jobId)).rejects.toMatchObject(refused);
      expect(await queue.move(owner, queued.jobId, queued.jobId)).toMatchObject({ position: 0 });
    });

    test('has urgent jobs first and loses no position, whatever is queued, moved, paused and resumed', async () => {
      const position = fc.nat(20);
      const act = fc.oneof(
        fc.record({ type: fc.constant('add' as const), priority: fc.integer({ min: -2, max: 2 }) }),
        fc.record({ type: fc.constant('move' as const), position, before: fc.option(position) }),
        fc.record({ type: fc.constantFrom('pause' as const, 'resume' as const), position }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
          const { executor, run } = createManualExecutor();
          const queue = await makeJobs().open({ executor });
          await queue.add(owner, requestOf({ priority: 2 }));
          await run(0);
          for (const step of acts) {
            const before = await queueOf(queue);
            if (step.type === 'add') {
              const made = await queue.add(owner, requestOf({ priority: step.priority }));
              expect(await queueOf(queue)).toHaveLength(before.length + 1);
              expect((await queue.get(owner, made.jobId)).position).toBe(made.position);
            } else if (step.type === 'move') {
              const jobId = pick(before, step.position);
              if (jobId === undefined) continue;
              const beforeJobId = step.before === null ? null : (pick(before, step.before) ?? null);
              await queue.move(owner, jobId, beforeJobId);
              if (beforeJobId === jobId) continue;
              const rest = before.filter((other) => other !== jobId);
              rest.splice(beforeJobId === null ? rest.length : rest.indexOf(beforeJobId), 0, jobId);
              expect(await queueOf(queue)).toEqual(rest);
            } else {
              const state = step.type === 'pause' ? 'queued' : 'paused';
              const fitting = (await queue.list(owner)).filter((view) => view.state === state);
              const jobId = pick(
                fitting.map((view) => view.jobId),
                step.position,
              );
              if (jobId !== undefined) await queue[step.type](owner, jobId);
            }
            const views = (await queue.list(owner)).filter((view) => view.position !== null);
            views.sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
            expect(views.map((view) => view.position)).toEqual([...views.keys()]);
            const priorities = views.map(({ priority }) => priority);
            expect(priorities).toEqual(priorities.toSorted((a, b) => b - a));
          }
          await queue.close();
        }),
        { numRuns: 40 },
      );
    });
  });
}

async function queueOf(queue: JobQueue): Promise<string[]> {
  const queued = (await queue.list(owner)).filter(({ state }) => state === 'queued');
  return queued.sort((a, b) => (a.position ?? 0) - (b.position ?? 0)).map(({ jobId }) => jobId);
}

const pick = <T>(among: readonly T[], index: number): T | undefined => among[index % among.length];
