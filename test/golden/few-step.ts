// Schedules and steps of few-step models against diffusers' own numbers (make/few_step.py).

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { stepDown } from '../../companion-server/src/diffusion/sampling-step.ts';
import { createSchedule } from '../../companion-server/src/diffusion/schedule.ts';
import { parseSchedulerConfig } from '../../companion-server/src/diffusion/scheduler-config.ts';
import { tensor } from '../../companion-server/src/tensor/tensor.ts';
import { maxAbsError } from '../numbers.ts';
import type { GoldenReport } from './report.ts';

export const fewStepName = 'few-step.json';

/** Of a step, as a share of its largest value: at timestep 999 estimates are ten times as large as their input. */
const stepLimit = 1e-5;

interface Step {
  readonly before: readonly number[];
  readonly prediction: readonly number[];
  readonly noise: readonly number[];
  readonly after: readonly number[];
}

interface Run {
  readonly scheduler: Readonly<Record<string, unknown>> & { readonly _class_name: string };
  readonly shape: readonly number[];
  readonly timesteps: readonly number[];
  readonly steps: readonly Step[];
}

interface FewStepData {
  readonly runs: readonly Run[];
  /** Timesteps for 1 to 50 steps. */
  readonly lcm: readonly (readonly number[])[];
  readonly tcd: readonly (readonly number[])[];
}

/** Every step of every recorded run, and the timesteps of every number of steps. */
export async function compareFewSteps(dir: string, report: GoldenReport): Promise<void> {
  const data = JSON.parse(await readFile(path.join(dir, fewStepName), 'utf8')) as FewStepData;
  for (const [i, run] of data.runs.entries()) compareRun(`run ${i}: ${run.scheduler._class_name}`, run, report);
  compareTimesteps('LCMScheduler', data.lcm, report);
  compareTimesteps('TCDScheduler', data.tcd, report);
}

function compareRun(name: string, { scheduler, shape, timesteps, steps }: Run, report: GoldenReport): void {
  const schedule = createSchedule(parseSchedulerConfig(scheduler), steps.length);
  report.compare(`${name}, timesteps of ${steps.length} steps`, schedule.timesteps, timesteps, 0);
  const of = (values: readonly number[]) => tensor(shape, Float32Array.from(values));
  const errors = steps.map(({ before, prediction, noise, after }, i) => {
    const moved = stepDown(of(before), of(prediction), timesteps[i] ?? NaN, schedule, of(noise));
    return maxAbsError(moved.data, after) / Math.max(1, ...after.map(Math.abs));
  });
  const zeros = errors.map(() => 0);
  report.compare(`${name}, ${steps.length} steps`, errors, zeros, stepLimit);
}

function compareTimesteps(className: string, expected: readonly (readonly number[])[], report: GoldenReport): void {
  const config = parseSchedulerConfig({ _class_name: className, beta_start: 0.00085, beta_end: 0.012 });
  const found = expected.map((_, i) => createSchedule(config, i + 1).timesteps);
  report.compare(`${className}, timesteps of 1 to ${expected.length} steps`, found.flat(), expected.flat(), 0);
}
