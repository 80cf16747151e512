// The timesteps that DDIM inversion walks when it takes more, smaller steps than sampling.

import { createSchedule, type Schedule } from './schedule.ts';
import type { SchedulerConfig } from './scheduler-config.ts';

/**
 * A schedule with `inversionSteps` timesteps that contains every timestep of `sampling`. Where the checkpoint's own
 * spacing does not contain them, the gaps between them are divided evenly. Throws EditError('invalid-request').
 */
export function createInversionSchedule(config: SchedulerConfig, sampling: Schedule, inversionSteps: number): Schedule {
  // LCM and TCD have no timesteps of their own for more steps than they were distilled on.
  const own = 'originalSteps' in config.solver ? null : createSchedule(config, inversionSteps);
  if (own !== null && sampling.timesteps.every((timestep) => own.timesteps.includes(timestep))) return own;
  const parts = Math.max(1, Math.round(inversionSteps / sampling.timesteps.length));
  const divided = sampling.timesteps.flatMap((timestep, i) => {
    const below = sampling.timesteps[i + 1] ?? 0;
    return Array.from({ length: parts }, (_, part) => Math.round(timestep - (part * (timestep - below)) / parts));
  });
  return { ...sampling, timesteps: [...new Set(divided)] };
}
