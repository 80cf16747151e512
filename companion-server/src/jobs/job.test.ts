import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changeJob, isOver, type Job, type JobChange } from './job.ts';

const progressAt = (progress: number) => ({
  stage: 'edit' as const,
  step: 1,
  steps: 2,
  progress,
  etaSeconds: null,
});
const error = { code: 'internal', message: 'It failed.', retryable: false } as const;

const anyChange: fc.Arbitrary<JobChange<string>> = fc.oneof(
  fc.constant({ type: 'start' } as const),
  fc
    .double({ min: 0, max: 1, noNaN: true })
    .map((value) => ({ type: 'progress', progress: progressAt(value) }) as const),
  fc.constant({ type: 'finish', result: 'result' } as const),
  fc.constant({ type: 'fail', error } as const),
  fc.constant({ type: 'cancel' } as const),
);

test('a job goes from queued over running to done', () => {
  const changes: JobChange<string>[] = [
    { type: 'start' },
    { type: 'progress', progress: progressAt(0.5) },
    { type: 'finish', result: 'result' },
  ];
  let job: Job<string> = { state: 'queued' };
  const states = changes.map((change) => (job = changeJob(job, change)).state);
  expect(states).toEqual(['running', 'running', 'done']);
});

test('whatever happens, an outcome stays, progress never falls and nothing is done that has not run', () => {
  fc.assert(
    fc.property(fc.array(anyChange), (changes) => {
      let job: Job<string> = { state: 'queued' };
      for (const change of changes) {
        const next: Job<string> = changeJob(job, change);
        if (isOver(job)) expect(next).toBe(job);
        if (next.state === 'done' && next !== job) expect(job.state).toBe('running');
        if (next.state === 'running' && job.state === 'running') {
          expect(next.progress?.progress ?? 0).toBeGreaterThanOrEqual(job.progress?.progress ?? 0);
        }
        job = next;
      }
    }),
  );
});
