import { beforeEach, describe, expect, test } from 'vitest';
import { EditError } from '../../errors.ts';
import type { JobQueue } from '../../jobs/queue.ts';
import { jobRoutes } from './jobs.ts';
import type { Route } from './route.ts';

const owners = [
  { clientId: 'a'.repeat(32), name: 'panel' },
  { clientId: 'b'.repeat(32), name: 'command line' },
];
const [panel, local] = owners as [(typeof owners)[0], (typeof owners)[0]];

let acts: unknown[][];
let routes: readonly Route[];
beforeEach(() => {
  acts = [];
  const act =
    (name: string) =>
    (...args: unknown[]): Promise<never> => {
      acts.push([name, ...args]);
      return Promise.resolve(undefined as never);
    };
  const jobOf = new Map([
    [panel.clientId, 'one'],
    [local.clientId, 'two'],
  ]);
  const list = (owner: string) => Promise.resolve([{ jobId: jobOf.get(owner) }]);
  const jobs = {
    list: list as unknown as JobQueue['list'],
    ownerOf(jobId: string) {
      for (const [owner, known] of jobOf) if (known === jobId) return Promise.resolve(owner);
      return Promise.reject(new EditError('job-missing', 'There is no such job.'));
    },
    cancel: act('cancel'),
    pause: act('pause'),
    resume: act('resume'),
    move: act('move'),
    remove: act('remove'),
  };
  routes = jobRoutes(jobs, () => owners);
});

const question = { url: '/jobs', isHead: false, headers: {} };

async function ask(path: string, jobId = '', query = ''): Promise<unknown> {
  const route = routes.find((one) => one.path === path);
  if (route === undefined) throw new Error(`There is no route ${path}.`);
  const parameters = { jobId };
  return route.handle({ parameters, query: new URLSearchParams(query), port: 0, client: null, question });
}

test('the jobs of everybody are listed with whose they are', async () => {
  expect(await ask('/jobs')).toEqual({
    json: {
      jobs: [
        { owner: 'panel', job: { jobId: 'one' } },
        { owner: 'command line', job: { jobId: 'two' } },
      ],
    },
  });
});

describe('a job is steered in the name of its owner', () => {
  test.each([
    ['cancel', 'cancel', []],
    ['pause', 'pause', []],
    ['resume', 'resume', []],
    ['delete', 'remove', []],
    ['move', 'move', [null]],
  ] as const)('%s', async (name, method, further) => {
    await ask(`/jobs/:jobId/${name}`, 'two');
    expect(acts).toEqual([[method, local.clientId, 'two', ...further]]);
  });

  test('move in front of another', async () => {
    await ask('/jobs/:jobId/move', 'one', 'before=other');
    expect(acts).toEqual([['move', panel.clientId, 'one', 'other']]);
  });
});

test('a job that nobody has is missing', async () => {
  await expect(ask('/jobs/:jobId/cancel', 'three')).rejects.toBeInstanceOf(EditError);
  expect(acts).toEqual([]);
});

test('only the command line may ask, and a change is a POST', () => {
  expect(routes.every(({ access }) => access === 'local')).toBe(true);
  expect(routes.filter(({ method }) => method === 'GET').map(({ path }) => path)).toEqual(['/jobs']);
});
