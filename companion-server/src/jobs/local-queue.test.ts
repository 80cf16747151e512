// The queue of this process, on the stores that it may stand on.

import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { describeJobQueue } from '../../../test/contracts/job-queue.ts';
import {
  createFixture,
  memoryDatabase,
  openTestQueue,
  over,
  owner,
  requestOf,
  stranger,
} from '../../../test/job-fixture.ts';
import { createManualExecutor, outcome } from '../../../test/manual-executor.ts';
import { createJobMemory, createMemoryJobStore } from '../../../test/memory/job-store.ts';
import { openLocalQueue } from './local-queue.ts';
import { createSqliteJobStore } from './sqlite-store.ts';

describeJobQueue('the local queue on SQLite', () => {
  const database = memoryDatabase();
  return { open: (options) => openLocalQueue({ ...options, store: createSqliteJobStore(database), retryMs: 1 }) };
});

describeJobQueue('the local queue on a store in memory', () => {
  const memory = createJobMemory();
  return { open: (options) => openLocalQueue({ ...options, store: createMemoryJobStore(memory), retryMs: 1 }) };
});

describe('the local queue on SQLite', () => {
  test('begins a job that it has claimed although the job cannot be read for a moment', async () => {
    const store = createSqliteJobStore(memoryDatabase());
    const busy = Object.assign(new Error('busy'), { code: 'SQLITE_BUSY' });
    let refusals = 0;
    const { executor, run } = createManualExecutor();
    const failures: unknown[] = [];
    const queue = await openLocalQueue({
      store: {
        ...store,
        async claimNext() {
          const row = await store.claimNext();
          if (row !== undefined) refusals = 2;
          return row;
        },
        get: (jobId) => (refusals-- > 0 ? Promise.reject(busy) : store.get(jobId)),
      },
      executor,
      onFailure: (_jobId, error) => failures.push(error),
      retryMs: 1,
    });
    onTestFinished(() => queue.close());
    const { jobId } = await queue.add(owner, requestOf());
    (await run(0)).ending.resolve(outcome);
    expect(await over(queue, jobId)).toMatchObject({ state: 'done' });
    expect(failures).toEqual([busy, busy]);
  });

  test('tells an owner of all that has moved in a moment by one message, of their own jobs alone', async () => {
    const { queue, run } = await createFixture();
    await queue.add(owner, requestOf({ priority: 9 }));
    const mine: string[] = [];
    for (let i = 0; i < 3; i++) mine.push((await queue.add(owner, requestOf())).jobId);
    const theirs = (await queue.add(stranger, requestOf())).jobId;
    await run(0);
    await turn();
    const told: unknown[] = [];
    const views: string[] = [];
    queue.subscribe(owner, {
      onJob: ({ jobId }) => views.push(jobId),
      onPositions: (positions) => told.push(['mine', positions]),
    });
    queue.subscribe(stranger, {
      onJob: () => undefined,
      onPositions: (positions) => told.push(['theirs', positions]),
    });
    await queue.cancel(owner, mine[0] ?? '');
    const last = await queue.add(owner, requestOf());
    await turn();
    expect(told).toEqual([
      ['mine', mine.slice(1).map((jobId, position) => ({ jobId, position }))],
      ['theirs', [{ jobId: theirs, position: 2 }]],
    ]);
    expect(views).toEqual([mine[0], last.jobId]);
    expect((await queue.get(owner, last.jobId)).position).toBe(3);
  });

  test('tells what has moved in a long queue without a look at each job', async () => {
    const queries: string[] = [];
    const database = memoryDatabase();
    const { executor, run } = createManualExecutor();
    const queue = await openTestQueue(
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
      executor,
    );
    const owners = Array.from({ length: 10 }, (_, digit) => String(digit).repeat(32));
    for (const client of owners) for (let i = 0; i < 20; i++) await queue.add(client, requestOf());
    await run(0);
    await turn();
    const told: number[] = [];
    for (const client of owners) {
      queue.subscribe(client, { onJob: () => undefined, onPositions: (moved) => told.push(moved.length) });
    }
    const [, second] = await queue.list('0'.repeat(32));
    queries.length = 0;
    await queue.cancel('0'.repeat(32), second?.jobId ?? '');
    await turn();
    expect(told).toEqual([18, ...Array<number>(9).fill(20)]);
    expect(queries.length).toBeLessThan(12);
  });
});
