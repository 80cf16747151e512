// The timesteps that an inversion walks.

import { createInversionSchedule } from '../../diffusion/inversion-schedule.ts';
import type { Schedule } from '../../diffusion/schedule.ts';
import type { SchedulerConfig } from '../../diffusion/scheduler-config.ts';
import type { ChosenSettings } from './edit-defaults.ts';

/**
 * Contains every timestep at which sampling reads the source's latents. The reference takes more and smaller steps than
 * sampling, and always all of them: it takes its noise from their end. The fast pipeline takes sampling's own, each with
 * more forwards; SDEdit, which starts in the middle, needs none beyond its start there.
 */
export function planInversion(
  config: SchedulerConfig,
  sampling: Schedule,
  { pipeline, inversionSteps }: ChosenSettings,
  startStep: number,
): Schedule {
  if (pipeline === 'reference') return createInversionSchedule(config, sampling, inversionSteps);
  return { ...sampling, timesteps: sampling.timesteps.slice(startStep) };
}

/** Whether sampling takes its noise from the end of the inversion, as the official code does. */
export function keepsNoisiest({ pipeline }: Pick<ChosenSettings, 'pipeline'>): boolean {
  return pipeline === 'reference';
}

/** Whether what sampling's steps miss in the clip is kept, for the edit to add. */
export function keepsResiduals({ inversion }: Pick<ChosenSettings, 'inversion'>): boolean {
  return inversion === 'noised';
}

/** Forwards of a frame at each step of its inversion. */
export function forwardsPerStep({ pipeline, steps }: ChosenSettings, inversionSteps: number): number {
  return pipeline === 'reference' ? 1 : inversionSteps / steps;
}

/**
 * Most frames of a clip whose calibration begins with twice the forwards. With so few frames a first try takes about as long
 * as the forwards that it may save, and a failed one makes the whole edit half as long again.
 */
const shortClip = 4;

/** Forwards of a frame in its inversion, as far as they are known before the calibration. */
export function firstInversionSteps(
  { calibrates, inversionSteps }: Pick<ChosenSettings, 'calibrates' | 'inversionSteps'>,
  frameCount: number,
): number {
  return calibrates && frameCount <= shortClip ? 2 * inversionSteps : inversionSteps;
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
