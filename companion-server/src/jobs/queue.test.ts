import { expect, test } from 'vitest';
import { createDeferred, type Deferred } from '../../../test/deferred.ts';
import { CanceledError, EditError } from '../errors.ts';
import { isOver, type Job } from './job.ts';
import { createJobQueue, type Work } from './queue.ts';

/** Work that ends when the test says so. */
function createManualWork() {
  const started: string[] = [];
  const endings = new Map<string, Deferred<string>>();
  const work: Work<string, string> = (jobId, _spec, { signal }) => {
    const ending = createDeferred<string>();
    started.push(jobId);
    endings.set(jobId, ending);
    signal.addEventListener('abort', () => ending.reject(new CanceledError()));
    return ending.promise;
  };
  return { work, started, endings };
}

/** Collects a job's states; `over` resolves with the outcome. */
function watch() {
  const states: string[] = [];
  const over = createDeferred<Job<string>>();
  const started = createDeferred<undefined>();
  const onChange = (job: Job<string>): void => {
    states.push(job.state);
    if (job.state === 'running') started.resolve(undefined);
    if (isOver(job)) over.resolve(job);
  };
  return { states, onChange, over: over.promise, started: started.promise };
}

function createTestQueue() {
  const manual = createManualWork();
  const discarded: string[] = [];
  const queue = createJobQueue<string, string>({
    work: manual.work,
    discard: (jobId) => Promise.resolve(void discarded.push(jobId)),
  });
  return { ...manual, discarded, queue };
}

test('jobs run one at a time in the order of their arrival', async () => {
  const { queue, started, endings } = createTestQueue();
  const [first, second] = [watch(), watch()];
  queue.add('a', '', first.onChange);
  queue.add('b', '', second.onChange);
  await first.started;
  expect(started).toEqual(['a']);
  expect(queue.get('b')).toEqual({ state: 'queued' });
  endings.get('a')?.resolve('result');
  expect(await first.over).toEqual({ state: 'done', result: 'result' });
  await second.started;
  expect(started).toEqual(['a', 'b']);
});

test('a job that fails is reported with its error, and the next one runs', async () => {
  const { queue, endings } = createTestQueue();
  const [first, second] = [watch(), watch()];
  queue.add('a', '', first.onChange);
  queue.add('b', '', second.onChange);
  await first.started;
  endings.get('a')?.reject(new EditError('engine-crashed', 'It crashed.'));
  expect(await first.over).toMatchObject({ state: 'failed', error: { code: 'engine-crashed' } });
  await second.started;
  expect(queue.get('b')?.state).toBe('running');
});

test('a queued job that is canceled never runs', async () => {
  const { queue, started, endings } = createTestQueue();
  const [first, second, third] = [watch(), watch(), watch()];
  queue.add('a', '', first.onChange);
  queue.add('b', '', second.onChange);
  queue.add('c', '', third.onChange);
  await first.started;
  queue.cancel('b');
  expect(second.states).toEqual(['canceled']);
  endings.get('a')?.resolve('result');
  await third.started;
  expect(started).toEqual(['a', 'c']);
});

test('a running job is canceled when its work has stopped', async () => {
  const { queue } = createTestQueue();
  const job = watch();
  queue.add('a', '', job.onChange);
  await job.started;
  queue.cancel('a');
  expect(queue.get('a')?.state).toBe('running');
  expect(await job.over).toEqual({ state: 'canceled' });
});

test('a removed job is over, discarded and forgotten', async () => {
  const { queue, discarded } = createTestQueue();
  const job = watch();
  queue.add('a', '', job.onChange);
  await job.started;
  await queue.remove('a');
  expect(job.states).toEqual(['running', 'canceled']);
  expect(discarded).toEqual(['a']);
  expect(queue.get('a')).toBeUndefined();
});

test('closing removes every job, queued ones too', async () => {
  const { queue, discarded, started } = createTestQueue();
  const [first, second] = [watch(), watch()];
  queue.add('a', '', first.onChange);
  queue.add('b', '', second.onChange);
  await first.started;
  await queue.close();
  expect(discarded.sort()).toEqual(['a', 'b']);
  expect(started).toEqual(['a']);
});
