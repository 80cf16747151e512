// Jobs on a disk that is full for a while.

import { expect, test } from 'vitest';
import { memoryDatabase, openTestQueue, over, owner, requestOf } from '../../../test/job-fixture.ts';
import { createManualExecutor, outcome } from '../../../test/manual-executor.ts';
import type { Database } from '../store/database.ts';

/** The same database on a disk that takes nothing while `isFull` says so, which is asked at each transaction. */
function onDisk(database: Database, isFull: () => boolean): Database {
  const refusing =
    (transaction: Database['transaction']): Database['transaction'] =>
    (work) => {
      if (isFull()) throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
      return transaction(work);
    };
  return {
    ...database,
    transaction: refusing((work) => database.transaction(work)),
    urgently: refusing((work) => database.urgently(work)),
  };
}

test('an outcome that the disk refuses is written when it takes it', async () => {
  const database = memoryDatabase();
  let refusals = 0;
  const refusing = onDisk(database, () => refusals-- > 0);
  const { executor, run } = createManualExecutor();
  const queue = await openTestQueue(refusing, executor);
  const { jobId } = await queue.add(owner, requestOf());
  const { ending } = await run(0);
  refusals = 1;
  await expect(queue.add(owner, requestOf())).rejects.toThrow('full');
  refusals = 3;
  ending.resolve(outcome);
  expect(await over(queue, jobId)).toMatchObject({ state: 'done', result: outcome.result });
});

test('a server stops although the disk is full, and the next one goes on with its job', async () => {
  const database = memoryDatabase();
  let isFull = false;
  const refusing = onDisk(database, () => isFull);
  const first = createManualExecutor();
  const queue = await openTestQueue(refusing, first.executor);
  const { jobId } = await queue.add(owner, requestOf());
  const { hooks } = await first.run(0);
  isFull = true;
  await queue.close();
  expect(hooks.signal.aborted).toBe(true);
  const second = createManualExecutor();
  await openTestQueue(database, second.executor);
  expect(await second.run(0)).toMatchObject({ jobId });
});

test('a step that the disk refuses to remember does not disturb the engine', async () => {
  const database = memoryDatabase();
  const killed = createManualExecutor();
  const { jobId } = await (await openTestQueue(database, killed.executor)).add(owner, requestOf());
  await killed.run(0);
  let isFull = false;
  const refusing = onDisk(database, () => isFull);
  const { executor, run } = createManualExecutor();
  const queue = await openTestQueue(refusing, executor);
  const { hooks, ending } = await run(0);
  isFull = true;
  hooks.onStep();
  isFull = false;
  ending.resolve(outcome);
  expect(await over(queue, jobId)).toMatchObject({ state: 'done' });
});
