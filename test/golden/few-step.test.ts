// Schedules and steps of few-step models against diffusers' own numbers (make/few_step.py).

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { stepDown } from '../../companion-server/src/diffusion/sampling-step.ts';
import { createSchedule } from '../../companion-server/src/diffusion/schedule.ts';
import { parseSchedulerConfig } from '../../companion-server/src/diffusion/scheduler-config.ts';
import { tensor } from '../../companion-server/src/tensor/tensor.ts';

interface Walked {
  readonly before: readonly number[];
  readonly prediction: readonly number[];
  readonly noise: readonly number[];
  readonly after: readonly number[];
}

interface Golden {
  readonly runs: readonly {
    readonly scheduler: Readonly<Record<string, unknown>> & { readonly _class_name: string };
    readonly shape: readonly number[];
    readonly timesteps: readonly number[];
    readonly steps: readonly Walked[];
  }[];
  /** Timesteps for 1 to 50 steps. */
  readonly lcm: readonly (readonly number[])[];
  readonly tcd: readonly (readonly number[])[];
}

const file = path.join(import.meta.dirname, '..', 'fixtures', 'golden', 'few-step.json');
const golden = JSON.parse(await readFile(file, 'utf8')) as Golden;

test.each(golden.runs.map((run, i) => [`${i}: ${run.scheduler._class_name}, ${run.steps.length} steps`, run] as const))(
  'run %s equals diffusers in every timestep and every step',
  (_, { scheduler, shape, timesteps, steps }) => {
    const schedule = createSchedule(parseSchedulerConfig(scheduler), steps.length);
    expect(schedule.timesteps).toEqual(timesteps);
    const of = (values: readonly number[]) => tensor(shape, Float32Array.from(values));
    for (const [i, { before, prediction, noise, after }] of steps.entries()) {
      const moved = stepDown(of(before), of(prediction), timesteps[i] ?? NaN, schedule, of(noise));
      // At timestep 999 estimates of the clean sample are ten times as large as what they are made of.
      const largest = Math.max(1, ...after.map(Math.abs));
      expect(moved.data).toBeAllClose(after, { atol: 1e-5 * largest });
    }
  },
);

test.each([
  ['LCMScheduler', golden.lcm],
  ['TCDScheduler', golden.tcd],
] as const)('%s has the timesteps of diffusers for every number of steps', (className, expected) => {
  const config = parseSchedulerConfig({ _class_name: className, beta_start: 0.00085, beta_end: 0.012 });
  expect(expected.map((_, i) => createSchedule(config, i + 1).timesteps)).toEqual(expected);
});
