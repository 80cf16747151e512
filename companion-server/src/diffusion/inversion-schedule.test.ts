import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createInversionSchedule } from './inversion-schedule.ts';
import { createSchedule } from './schedule.ts';
import { parseSchedulerConfig } from './scheduler-config.ts';

const config = parseSchedulerConfig({ beta_schedule: 'scaled_linear', steps_offset: 1 });

test('500 inversion steps contain the 50 sampling steps as they are', () => {
  const sampling = createSchedule(config, 50);
  const inversion = createInversionSchedule(config, sampling, 500);
  expect(inversion.timesteps).toEqual(createSchedule(config, 500).timesteps);
});

test('every sampling timestep is walked, strictly downwards, whatever the numbers of steps', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 8 }), (steps, times) => {
      const sampling = createSchedule(config, steps);
      const { timesteps } = createInversionSchedule(config, sampling, steps * times);
      expect(sampling.timesteps.filter((t) => !timesteps.includes(t))).toEqual([]);
      timesteps.slice(1).forEach((t, i) => expect(t).toBeLessThan(timesteps[i] ?? 0));
      expect(timesteps.length).toBeGreaterThanOrEqual(steps);
    }),
  );
});
