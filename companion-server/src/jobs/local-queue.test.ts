// The queue of this process, on the stores that it may stand on.

import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { describeJobQueue } from '../../../test/contracts/job-queue.ts';
import { memoryDatabase, openTestQueue, requestOf } from '../../../test/job-fixture.ts';
import { createManualExecutor } from '../../../test/manual-executor.ts';
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
    const owners = Array.from({ length: 10 }, (_, client) => String(client).repeat(32));
    for (const owner of owners) for (let i = 0; i < 20; i++) await queue.add(owner, requestOf());
    await run(0);
    await turn();
    const told: number[] = [];
    for (const owner of owners) {
      queue.subscribe(owner, { onJob: () => undefined, onPositions: (moved) => told.push(moved.length) });
    }
    const [, second] = await queue.list('0'.repeat(32));
    queries.length = 0;
    await queue.cancel('0'.repeat(32), second?.jobId ?? '');
    await turn();
    expect(told).toEqual([18, ...Array<number>(9).fill(20)]);
    expect(queries.length).toBeLessThan(12);
  });
});
