import { expect, test } from 'vitest';
import { readFarm } from './farm-config.ts';

const queue = 'rediss://:secret@farm.example:6380/1';
const store = process.platform === 'win32' ? 'C:\\clips' : '/mnt/clips';

test('a machine shares its jobs with nobody unless it is told so', () => {
  expect(readFarm({})).toBeNull();
  expect(readFarm({ TOKENFLOW_QUEUE: '', TOKENFLOW_STORE: '' })).toBeNull();
});

test('jobs are shared through a queue and a store', () => {
  const farm = { queue, store: { type: 'folder', root: store }, doesJobs: true };
  expect(readFarm({ TOKENFLOW_QUEUE: queue, TOKENFLOW_STORE: store })).toEqual(farm);
  expect(readFarm({ TOKENFLOW_QUEUE: queue, TOKENFLOW_STORE: store }, false)).toEqual({ ...farm, doesJobs: false });
  expect(readFarm({ TOKENFLOW_QUEUE: 'unix:/run/redis.sock', TOKENFLOW_STORE: 's3://clips' })).toMatchObject({
    queue: '/run/redis.sock',
    store: { type: 's3', bucket: 'clips' },
  });
});

test.each([
  [{ TOKENFLOW_QUEUE: queue }, 'TOKENFLOW_QUEUE needs TOKENFLOW_STORE.'],
  [{ TOKENFLOW_STORE: store }, 'TOKENFLOW_STORE needs TOKENFLOW_QUEUE.'],
  [{ TOKENFLOW_QUEUE: 'secret', TOKENFLOW_STORE: store }, 'it is no address'],
  [{ TOKENFLOW_QUEUE: 'amqp://farm', TOKENFLOW_STORE: store }, "got 'amqp:'"],
  [{ TOKENFLOW_QUEUE: 'redis:///0', TOKENFLOW_STORE: store }, 'it names no host'],
])('%j is refused by name', (env, rule) => {
  expect(() => readFarm(env)).toThrow(rule);
});

test('an address that cannot be read is not repeated: it may hold a password', () => {
  expect(() => readFarm({ TOKENFLOW_QUEUE: 'pass word', TOKENFLOW_STORE: store })).not.toThrow('pass word');
});

test('a server that leaves its jobs to others needs a queue', () => {
  expect(() => readFarm({}, false)).toThrow('Nobody would do the jobs: TOKENFLOW_QUEUE is not set.');
});
