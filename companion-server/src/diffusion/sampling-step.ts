// One sampling step by the schedule's solver. Euler's step in the space of sigmas and TCD's with gamma 0 are DDIM's, between
// other timesteps: with x = sqrt(a) (x_0 + sigma eps) and sigma = sqrt((1 - a) / a), Euler's move along eps from sigma to
// sigma' keeps x_0, as DDIM's does. test/golden/few-step.test.ts holds the numbers of both against diffusers'.

import type { Tensor } from '../tensor/tensor.ts';
import { stepDdim } from './ddim.ts';
import { isLcm, stepLcm } from './lcm.ts';
import type { Schedule } from './schedule.ts';

/**
 * Moves latents one step towards the clean sample.
 * @param latents [N, C, h, w] at `t`
 * @param prediction [N, C, h, w] the network's answer at `t`, in the schedule's prediction type
 * @param noise [N, C, h, w] what LCM adds; null for none. No other solver reads it.
 * @returns [N, C, h, w] at `previousTimestep(t)`, or the clean sample below 0
 */
export function stepDown(
  latents: Tensor,
  prediction: Tensor,
  t: number,
  schedule: Schedule,
  noise: Tensor | null = null,
): Tensor {
  return isLcm(schedule)
    ? stepLcm(latents, prediction, t, schedule, noise)
    : stepDdim(latents, prediction, t, schedule);
}
