// Jobs whose engine dies, and jobs that outlive their server. In every JobQueue.

import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { EditError } from '../../companion-server/src/errors.ts';
import type { JobQueue } from '../../companion-server/src/jobs/queue.ts';
import { isOutcome } from '../../protocol/job.ts';
import { over, owner, requestOf } from '../job-fixture.ts';
import { outcome } from '../manual-executor.ts';
import { openManually, type KeptJobs } from './kept-jobs.ts';

const crash = new EditError('engine-crashed', 'It crashed.');

/** Declares the tests. `makeJobs`: of which there are none yet. */
export function describeJobInterruptions(name: string, makeJobs: () => KeptJobs): void {
  describe(`${name} when an engine or a server ends`, () => {
    test('sets a job aside with its work whose engine dies twice without a step, and runs the next one', async () => {
      const { queue, run, events } = await openManually(makeJobs());
      const { jobId } = await queue.add(owner, requestOf());
      const next = await queue.add(owner, requestOf());
      (await run(0)).ending.reject(crash);
      const again = await run(1);
      expect(again.jobId).toBe(jobId);
      again.ending.reject(crash);
      const other = await run(2);
      expect(other.jobId).toBe(next.jobId);
      const { state, error, resumes } = await queue.get(owner, jobId);
      expect([state, error?.code, resumes]).toEqual(['paused', 'engine-crashed', 1]);
      expect(error?.message).toContain('set aside');
      expect(events).toEqual(['sweep ']);
      expect(await queue.resume(owner, jobId)).toMatchObject({ state: 'queued', error: null });
      other.ending.resolve(outcome);
      expect((await run(3)).jobId).toBe(jobId);
    });

    test('goes on with a job whose engine dies after a new step each time', async () => {
      const { queue, run, events } = await openManually(makeJobs());
      const { jobId } = await queue.add(owner, requestOf());
      for (let death = 0; death < 4; death++) {
        const { hooks, ending } = await run(death);
        hooks.onStep();
        ending.reject(crash);
      }
      (await run(4)).ending.resolve(outcome);
      expect(await over(queue, jobId)).toMatchObject({ state: 'done', resumes: 4 });
      expect(events).not.toContain(`discard ${jobId}`);
    });

    test('begins a job again that finds no file handle for a moment', async () => {
      const { queue, run } = await openManually(makeJobs());
      const { jobId } = await queue.add(owner, requestOf());
      const noHandles = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
      (await run(0)).ending.reject(noHandles);
      const { ending } = await run(1);
      expect(await queue.get(owner, jobId)).toMatchObject({ state: 'running', error: null });
      ending.resolve(outcome);
      expect(await over(queue, jobId)).toMatchObject({ state: 'done', resumes: 0 });
    });

    test('finds every job of a server that was killed again, the running one first', async () => {
      const jobs = makeJobs();
      const killed = await openManually(jobs);
      const [first, paused, last] = [
        await killed.queue.add(owner, requestOf()),
        await killed.queue.add(owner, requestOf()),
        await killed.queue.add(owner, requestOf()),
      ];
      await killed.run(0);
      await killed.queue.pause(owner, paused.jobId);
      // Another server opens what the first one has kept, which says nothing of its end.
      const after = await openManually(jobs);
      expect(after.events).toEqual(['sweep queued,paused,queued']);
      expect((await after.run(0)).jobId).toBe(first.jobId);
      expect(await after.queue.get(owner, first.jobId)).toMatchObject({ state: 'running', resumes: 1 });
      expect(await after.queue.get(owner, paused.jobId)).toMatchObject({ state: 'paused' });
      expect(await after.queue.get(owner, last.jobId)).toMatchObject({ state: 'queued', position: 0 });
    });

    test('sets a job aside that ends every server, and none that finishes steps', async () => {
      const jobs = makeJobs();
      const serve = async (doStep: boolean): Promise<JobQueue> => {
        const { queue, run, runs } = await openManually(jobs);
        if ((await queue.list(owner)).length === 0) await queue.add(owner, requestOf());
        if ((await queue.list(owner))[0]?.state === 'paused') return queue;
        await run(0);
        if (doStep) runs[0]?.hooks.onStep();
        return queue;
      };
      for (const doStep of [true, true, true, true, false, false, false]) await serve(doStep);
      const [job] = await (await serve(false)).list(owner);
      expect(job?.error?.message).toContain('the server ended 3 times');
    });

    test('queues the running job first when its server stops, tells so, and counts nothing against it', async () => {
      const jobs = makeJobs();
      const { queue, run, events } = await openManually(jobs);
      const { jobId } = await queue.add(owner, requestOf());
      const next = await queue.add(owner, requestOf());
      const { hooks } = await run(0);
      await turn();
      const told: string[] = [];
      queue.subscribe(owner, {
        onJob: (view) => told.push(`${view.jobId} ${view.state} ${view.position ?? '-'}`),
        onPositions: (moved) => told.push(...moved.map((one) => `${one.jobId} at ${one.position}`)),
      });
      await queue.close();
      expect(hooks.signal.aborted).toBe(true);
      // A queue on another machine may tell only then that the job behind it had come to the front.
      expect(told.filter((line) => line !== `${next.jobId} at 0`)).toEqual([`${jobId} queued 0`, `${next.jobId} at 1`]);
      expect(events).toEqual(['sweep ']);
      // As often as a job is set aside that kills its server.
      for (let stop = 0; stop < 4; stop++) {
        const another = await openManually(jobs);
        expect((await another.run(0)).jobId).toBe(jobId);
        await another.queue.close();
      }
      const last = await openManually(jobs);
      await last.run(0);
      expect(await last.queue.get(owner, jobId)).toMatchObject({ state: 'running', error: null });
    });

    test('begins no job after it was closed', async () => {
      const jobs = makeJobs();
      const { queue, runs } = await openManually(jobs);
      const { jobId } = await queue.add(owner, requestOf());
      await queue.close();
      await turn();
      expect(runs.filter(({ hooks }) => !hooks.signal.aborted)).toEqual([]);
      const another = await openManually(jobs);
      expect(isOutcome((await another.queue.get(owner, jobId)).state)).toBe(false);
    });
  });
}
