// What the network takes the clean sample to be, at any timestep: the picture that grows while an edit runs.

import type { Tensor } from '../tensor/tensor.ts';
import { weightedSum } from '../tensor/weighted-sum.ts';
import { originalWeights } from './ddim.ts';
import { denoiseLcm, isLcm } from './lcm.ts';
import type { Schedule } from './schedule.ts';

/**
 * The estimate of the clean sample: x_0 of equation 12 of DDIM (arXiv 2010.02502), or the consistency function of a latent
 * consistency model.
 * @param latents [N, C, h, w] x_t
 * @param prediction [N, C, h, w] the network's answer at `t`, after guidance, in the schedule's prediction type
 * @returns [N, C, h, w]
 */
export function estimateClean(latents: Tensor, prediction: Tensor, t: number, schedule: Schedule): Tensor {
  if (isLcm(schedule)) return denoiseLcm(latents, prediction, t, schedule);
  const weights = originalWeights(schedule, schedule.alphaCumprod(t));
  return weightedSum(weights.latents, latents, weights.prediction, prediction);
}
