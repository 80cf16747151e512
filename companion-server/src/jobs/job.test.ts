import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isOutcome, jobStates, type JobState } from '../../../protocol/job.ts';
import { fakeReport } from '../../../test/fixtures/engines/report.ts';
import { changeJob, newJob, type Job, type JobChange } from './job.ts';

const progressAt = (progress: number) => ({
  stage: 'edit' as const,
  step: 1,
  steps: 2,
  progress,
  etaSeconds: null,
  reconstructionPsnr: null,
});
const error = { code: 'engine-crashed', message: 'It crashed.' } as const;
const diskFull = { code: 'disk-full', message: 'It is full.' } as const;
const result = { sizeBytes: 1, sha256: '0'.repeat(64) };

const anyChange: fc.Arbitrary<JobChange> = fc.oneof(
  fc
    .double({ min: 0, max: 1, noNaN: true })
    .map((value) => ({ type: 'progress', progress: progressAt(value) }) as const),
  fc.constant({ type: 'finish', report: fakeReport, result } as const),
  fc.constantFrom('fail' as const, 'engine-died' as const).map((type) => ({ type, error })),
  fc.constant({ type: 'fail', error: diskFull } as const),
  fc
    .constantFrom(...(['start', 'step', 'server-died', 'stop', 'pause', 'resume', 'cancel'] as const))
    .map((type) => ({ type })),
);

/** What may follow on what, the state itself left out. */
const followers: Readonly<Record<JobState, readonly JobState[]>> = {
  queued: ['running', 'paused', 'canceled'],
  running: ['queued', 'paused', 'done', 'failed', 'canceled'],
  paused: ['queued', 'canceled'],
  done: [],
  failed: [],
  canceled: [],
};

const isHalted = ({ state, error: reason }: Job): boolean => state === 'paused' && reason !== null;

function statesAfter(...types: JobChange[]): readonly string[] {
  let job: Job = newJob;
  return types.map((change) => (job = changeJob(job, change)).state);
}

test('whatever happens, a job keeps to its ways and to its outcome', () => {
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 40 }), (changes) => {
      let job: Job = newJob;
      for (const change of changes) {
        const next = changeJob(job, change);
        if (isOutcome(job.state)) expect(next).toBe(job);
        if (next.state !== job.state) {
          expect(followers[job.state]).toContain(next.state);
        }
        expect(next.progress?.progress ?? 0).toBeGreaterThanOrEqual(job.progress?.progress ?? 0);
        expect([next.report !== null, next.result !== null]).toEqual([next.state === 'done', next.state === 'done']);
        expect(next.error !== null).toBe(next.state === 'failed' || isHalted(next));
        expect(next.starts - job.starts).toBe(next.state === 'running' && job.state !== 'running' ? 1 : 0);
        job = next;
      }
    }),
    { numRuns: 1_000 },
  );
});

test('every state follows on another that it may follow on', () => {
  const kinds = ['start', 'step', 'server-died', 'stop', 'pause', 'resume', 'cancel'] as const;
  const changes: readonly JobChange[] = [
    ...kinds.map((type) => ({ type })),
    { type: 'finish', report: fakeReport, result },
    { type: 'fail', error },
    { type: 'fail', error: diskFull },
    { type: 'engine-died', error },
  ];
  const seen = new Set<string>();
  let jobs: Job[] = [newJob];
  // Three changes lead from the new job over each of the others.
  for (let depth = 0; depth < 3; depth++) {
    jobs = jobs.flatMap((job) =>
      changes.map((change) => {
        const next = changeJob(job, change);
        if (next.state !== job.state) seen.add(`${job.state} ${next.state}`);
        return next;
      }),
    );
  }
  const possible = jobStates.flatMap((state) => followers[state].map((next) => `${state} ${next}`));
  expect([...seen].sort()).toEqual(possible.sort());
});

test('a full disk pauses a job, which forgets it when it goes on or is canceled', () => {
  const running = changeJob(newJob, { type: 'start' });
  const halted = changeJob(running, { type: 'fail', error: diskFull });
  expect([halted.state, halted.error]).toEqual(['paused', diskFull]);
  expect(changeJob(halted, { type: 'resume' })).toMatchObject({ state: 'queued', error: null });
  expect(changeJob(halted, { type: 'cancel' })).toMatchObject({ state: 'canceled', error: null });
});

test('the engine may die once under a job, and the second time without a step sets it aside', () => {
  const died = { type: 'engine-died', error } as const;
  expect(statesAfter({ type: 'start' }, died, { type: 'start' }, died)).toEqual([
    ...['running', 'queued', 'running', 'paused'],
  ]);
  const once = changeJob(changeJob(newJob, { type: 'start' }), died);
  const aside = changeJob(changeJob(once, { type: 'start' }), died);
  expect(aside.error).toEqual({
    ...error,
    message:
      'The job was set aside, because its engine process died 2 times without finishing a step in between. The last time: It crashed.',
    hint: 'It keeps its work, and goes on from its last finished step when it is resumed.',
  });
  const resumed = changeJob(aside, { type: 'resume' });
  expect(changeJob(changeJob(resumed, { type: 'start' }), died).state).toBe('queued');
});

test('an engine that dies again and again, each time a step further, goes on', () => {
  const died = { type: 'engine-died', error } as const;
  const alive = [{ type: 'start' }, { type: 'step' }, died] as const;
  expect(statesAfter(...alive, ...alive, ...alive, ...alive).at(-1)).toBe('queued');
});

test('a job that ends three servers without a finished step is set aside', () => {
  const fall = [{ type: 'start' }, { type: 'server-died' }] as const;
  expect(statesAfter(...fall, ...fall, ...fall).at(-1)).toBe('paused');
  const alive = [{ type: 'start' }, { type: 'step' }, { type: 'server-died' }] as const;
  expect(statesAfter(...fall, ...alive, ...alive, ...alive, ...fall).at(-1)).toBe('queued');
});

test('a server that stops takes nothing from a job', () => {
  const stop = [{ type: 'start' }, { type: 'stop' }] as const;
  expect(statesAfter(...stop, ...stop, ...stop, ...stop).at(-1)).toBe('queued');
});
