// What the network takes the clean sample to be, at any timestep: the picture that grows while an edit runs.

import { tensor, type Tensor } from '../tensor/tensor.ts';
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

/**
 * The estimate, made no stronger than `like`: scaled down to its root mean square where it has a larger one. Guidance makes
 * the estimates of the first steps glare; Lin et al. (arXiv 2305.08891, section 3.4) scale guided predictions for the same
 * reason.
 * @param estimate [N, C, h, w]
 * @param like latents of a picture of the same kind, of any size
 */
export function noStrongerThan(estimate: Tensor, like: Tensor): Tensor {
  const factor = rootMeanSquare(like.data) / rootMeanSquare(estimate.data);
  return factor < 1
    ? tensor(
        estimate.dims,
        estimate.data.map((value) => factor * value),
      )
    : estimate;
}

function rootMeanSquare(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / values.length);
}
