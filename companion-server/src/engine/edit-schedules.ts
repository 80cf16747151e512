// The timesteps that an inversion walks.

import { createInversionSchedule } from '../diffusion/inversion-schedule.ts';
import type { Schedule } from '../diffusion/schedule.ts';
import type { SchedulerConfig } from '../diffusion/scheduler-config.ts';
import type { ChosenSettings } from './edit-defaults.ts';

/**
 * Contains every timestep at which sampling reads the source's latents. The reference takes more and smaller steps than
 * sampling; the fast schedule takes sampling's own, each with more forwards. SDEdit starts in the middle and needs no
 * inversion beyond its start.
 */
export function planInversion(
  config: SchedulerConfig,
  sampling: Schedule,
  { schedule, inversionSteps }: ChosenSettings,
  startStep: number,
): Schedule {
  const whole = schedule === 'reference' ? createInversionSchedule(config, sampling, inversionSteps) : sampling; // prettier-ignore
  if (startStep === 0) return whole;
  const top = sampling.timesteps[startStep] ?? 0;
  return { ...whole, timesteps: whole.timesteps.filter((timestep) => timestep <= top) };
}

/** Forwards of a frame at each step of its inversion. */
export function forwardsPerStep(
  { schedule, steps }: ChosenSettings,
  inversionSteps: number,
): number {
  return schedule === 'reference' ? 1 : inversionSteps / steps;
}

/** Forwards of a frame in its whole inversion. */
export function inversionForwards(
  config: SchedulerConfig,
  sampling: Schedule,
  settings: ChosenSettings,
  startStep: number,
): number {
  const { timesteps } = planInversion(config, sampling, settings, startStep);
  return timesteps.length * forwardsPerStep(settings, settings.inversionSteps);
}
