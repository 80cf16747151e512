// The queue that several machines share, on a Redis server of these tests' own.

import { randomBytes } from 'node:crypto';
import * as bullmq from 'bullmq';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { describeJobQueue } from '../../../test/contracts/job-queue.ts';
import type { KeptJobs } from '../../../test/contracts/kept-jobs.ts';
import { over, owner, requestOf } from '../../../test/job-fixture.ts';
import { createManualExecutor, outcome, type ManualExecutor } from '../../../test/manual-executor.ts';
import { hasRedisServer, startRedis, type TestRedis } from '../../../test/redis-server.ts';
import type { JobQueue, JobQueueOptions } from '../jobs/queue.ts';
import { openBullJobStore } from './bull-job-store.ts';
import { openBullQueue } from './bull-queue.ts';

const lockMs = 300;

let redis: TestRedis | undefined;

function connectTo(server: TestRedis | undefined): Redis {
  if (server === undefined) throw new Error('Redis has not started.');
  return server.connect();
}

const newPrefix = (): string => `test-${randomBytes(8).toString('hex')}`;

interface Member {
  readonly queue: JobQueue;
  /** Cuts its connections for ever, as the end of the process does. */
  kill(): void;
}

async function join(prefix: string, options: JobQueueOptions): Promise<Member> {
  const connections: Redis[] = [];
  const connect = (): Redis => {
    const connection = connectTo(redis);
    connections.push(connection);
    return connection;
  };
  const joined = await openBullQueue({ ...options, packages: { bullmq }, connect, prefix, lockMs, retryMs: 10 });
  let isDead = false;
  return {
    queue: { ...joined, close: () => (isDead ? Promise.resolve() : joined.close()) },
    kill() {
      isDead = true;
      for (const connection of connections) connection.disconnect();
      // Ends its timers. What it tries to write does not arrive.
      void joined.close().catch(() => undefined);
    },
  };
}

/** Waits until no job runs: until those of a process that has ended wait again. */
async function whenNothingRuns(prefix: string): Promise<void> {
  const store = await openBullJobStore({ packages: { bullmq }, connect: () => connectTo(redis), prefix, lockMs });
  try {
    await vi.waitFor(async () => expect(await store.countByState()).toMatchObject({ running: 0 }), 10 * lockMs);
  } finally {
    await store.close();
  }
}

/** Whoever opens the queue again does so after the death of the process before. */
function makeJobs(): KeptJobs {
  const prefix = newPrefix();
  let last: Member | undefined;
  return {
    async open(options) {
      last?.kill();
      if (last !== undefined) await whenNothingRuns(prefix);
      last = await join(prefix, options);
      return last.queue;
    },
  };
}

describe.skipIf(!hasRedisServer)('with Redis', () => {
  beforeAll(async () => {
    redis = await startRedis();
  });

  afterAll(() => redis?.close());

  describeJobQueue('the queue on BullMQ', makeJobs);

  describe('two workers of the queue on BullMQ', () => {
    async function openTwo(): Promise<readonly (Member & ManualExecutor)[]> {
      const prefix = newPrefix();
      const members: (Member & ManualExecutor)[] = [];
      for (let i = 0; i < 2; i++) {
        const manual = createManualExecutor();
        const member = await join(prefix, { executor: manual.executor });
        onTestFinished(() => member.queue.close());
        members.push({ ...manual, ...member });
      }
      return members;
    }

    /** Two workers, and a job that one of them has begun. */
    async function openWithJob() {
      const [first, second] = await openTwo();
      if (first === undefined || second === undefined) throw new Error('There are not two.');
      const { jobId } = await first.queue.add(owner, requestOf());
      const [worker, other] = await Promise.race([
        first.run(0).then(() => [first, second] as const),
        second.run(0).then(() => [second, first] as const),
      ]);
      return { jobId, worker, other };
    }

    test('do two jobs at a time, each job once', async () => {
      const [first, second] = await openTwo();
      const { jobId } = (await first?.queue.add(owner, requestOf())) ?? { jobId: '' };
      const other = (await first?.queue.add(owner, requestOf())) ?? { jobId: '' };
      const runs = [await first?.run(0), await second?.run(0)];
      expect(runs.map((run) => run?.jobId).toSorted()).toEqual([jobId, other.jobId].toSorted());
      for (const run of runs) run?.ending.resolve(outcome);
      if (first === undefined) return;
      expect(await over(first.queue, jobId)).toMatchObject({ state: 'done', resumes: 0 });
      expect(await over(first.queue, other.jobId)).toMatchObject({ state: 'done', resumes: 0 });
    });

    test.each(['cancel', 'pause'] as const)(
      'stop a job where it is done when the other is asked to %s it',
      async (change) => {
        const { jobId, worker, other } = await openWithJob();
        const { hooks } = await worker.run(0);
        await other.queue[change](owner, jobId);
        await vi.waitFor(() => expect(hooks.signal.aborted).toBe(true));
      },
    );

    test('tell each other of what has happened while Redis was gone from one of them', async () => {
      const prefix = newPrefix();
      const connections: Redis[] = [];
      const connect = (): Redis => {
        const connection = connectTo(redis);
        connections.push(connection);
        return connection;
      };
      const listening = await openBullJobStore({ packages: { bullmq }, connect, prefix, lockMs });
      onTestFinished(() => listening.close());
      const told: string[] = [];
      listening.subscribe(({ row }) => told.push(row.job.state));
      const manual = createManualExecutor();
      const { queue } = await join(prefix, { executor: manual.executor });
      onTestFinished(() => queue.close());
      const { jobId } = await queue.add(owner, requestOf());
      const { ending } = await manual.run(0);
      await vi.waitFor(() => expect(told).toContain('running'));
      for (const connection of connections) connection.disconnect();
      ending.resolve(outcome);
      await over(queue, jobId);
      expect(told).not.toContain('done');
      for (const connection of connections) await connection.connect();
      await vi.waitFor(() => expect(told).toContain('done'));
    });

    test('go on with the job of the one that has died', async () => {
      const { jobId, worker, other } = await openWithJob();
      worker.kill();
      const again = await other.run(0);
      expect(again.jobId).toBe(jobId);
      again.ending.resolve(outcome);
      expect(await over(other.queue, jobId)).toMatchObject({ state: 'done', resumes: 1 });
    });

    test('stop the work whose lock has ended, and take the outcome of the other one', async () => {
      const { jobId, worker, other } = await openWithJob();
      const { hooks } = await worker.run(0);
      const admin = connectTo(redis);
      onTestFinished(() => admin.disconnect());
      await admin.del(await admin.keys('*:lock'));
      await vi.waitFor(() => expect(hooks.signal.aborted).toBe(true));
      const runs = () => [...worker.runs, ...other.runs];
      await vi.waitFor(() => expect(runs()).toHaveLength(2), 10 * lockMs);
      for (const { ending } of runs()) ending.resolve(outcome);
      expect(await over(other.queue, jobId)).toMatchObject({ state: 'done', resumes: 1, result: outcome.result });
    });
  });
});
