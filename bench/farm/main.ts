// npm run bench:farm [-- --jobs N] [--workers N]: what the queue of several machines costs, without engines. Jobs that end at
// once are queued by many clients and done by workers in this process, on a Redis server of the bench's own that writes each
// change to its disk. A job reports two steps and its progress, as a short edit does.

import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import * as bullmq from 'bullmq';
import { openBullQueue } from '../../companion-server/src/farm/bull-queue.ts';
import type { JobExecutor } from '../../companion-server/src/jobs/executor.ts';
import { isOutcome } from '../../protocol/job.ts';
import { fakeProgress } from '../../test/fixtures/engines/report.ts';
import { requestOf } from '../../test/job-fixture.ts';
import { outcome } from '../../test/manual-executor.ts';
import { startRedis } from '../../test/redis-server.ts';

/** Below the most that a client may have waiting. */
const jobsOfAClient = 20;

const { values } = parseArgs({
  options: { jobs: { type: 'string', default: '1000' }, workers: { type: 'string', default: '2' } },
});
const [jobs, workers] = [Number(values.jobs), Number(values.workers)];

const executor: JobExecutor = {
  run(_job, { onStep, onProgress }) {
    for (let step = 1; step <= 2; step++) {
      onStep();
      onProgress(fakeProgress(step, 2));
    }
    return Promise.resolve(outcome);
  },
  tidy: () => Promise.resolve(),
  discard: () => Promise.resolve(),
  sweep: () => Promise.resolve(),
};

const redis = await startRedis({ isKept: true });
const shared = { packages: { bullmq }, connect: () => redis.connect(), prefix: 'bench', executor } as const;
const onFailure = (_jobId: string | null, error: unknown): void => console.error(error);
const server = await openBullQueue({ ...shared, onFailure, doesJobs: false });
const owners = Array.from({ length: Math.ceil(jobs / jobsOfAClient) }, () => randomBytes(16).toString('hex'));
let done = 0;
let finish: () => void = () => undefined;
const finished = new Promise<void>((resolve) => (finish = resolve));
for (const owner of owners) {
  server.subscribe(owner, {
    onJob: ({ state }) => {
      if (isOutcome(state) && ++done === jobs) finish();
    },
    onPositions: () => undefined,
  });
}
const queuedFrom = performance.now();
for (let index = 0; index < jobs; index++) await server.add(owners[index % owners.length] ?? '', requestOf());
const queuedMs = performance.now() - queuedFrom;
const doneFrom = performance.now();
const queues = await Promise.all(Array.from({ length: workers }, () => openBullQueue({ ...shared, onFailure })));
await finished;
const doneMs = performance.now() - doneFrom;
for (const queue of [...queues, server]) await queue.close();
await redis.close();
const [add, work] = [queuedMs / jobs, (doneMs / jobs) * workers];
console.log(`${jobs} jobs queued in ${(queuedMs / 1000).toFixed(1)} s: ${add.toFixed(1)} ms each`);
console.log(`done by ${workers} workers in ${(doneMs / 1000).toFixed(1)} s: ${work.toFixed(1)} ms of a worker each`);
console.log(`of a job of 60 s: ${(((add + work) / 60_000) * 100).toFixed(3)} %`);
