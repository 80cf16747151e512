// The timesteps that an edit walks, up and down.

import { createInversionSchedule } from '../diffusion/inversion-schedule.ts';
import { createSchedule, type Schedule } from '../diffusion/schedule.ts';
import type { SchedulerConfig } from '../diffusion/scheduler-config.ts';
import type { ChosenSettings } from './edit-defaults.ts';
import type { EditPlan } from './edit-plan.ts';

export interface EditSchedules {
  readonly sampling: Schedule;
  /** Contains every timestep at which sampling reads the source's latents. */
  readonly inversion: Schedule;
}

/** SDEdit starts in the middle and needs no inversion beyond its start. */
export function planSchedules(
  config: SchedulerConfig,
  { steps, inversionSteps }: ChosenSettings,
  { startStep }: EditPlan,
): EditSchedules {
  const sampling = createSchedule(config, steps);
  const whole = createInversionSchedule(config, sampling, inversionSteps);
  if (startStep === 0) return { sampling, inversion: whole };
  const top = sampling.timesteps[startStep] ?? 0;
  const timesteps = whole.timesteps.filter((timestep) => timestep <= top);
  return { sampling, inversion: { ...whole, timesteps } };
}
