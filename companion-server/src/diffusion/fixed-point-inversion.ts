// One step of fixed-point DDIM inversion: it finds the latents from which sampling's own DDIM step leads back to those
// below. That step uses the noise that the network predicts in the unknown latents themselves, so they are found by
// iteration (AIDI, arXiv 2309.04907; ReNoise, arXiv 2403.14602). The first guess is extrapolated from the noise of the
// steps below, and a single iteration is then correct to second order.

import type { Tensor } from '../tensor/tensor.ts';
import { weightedSum } from '../tensor/weighted-sum.ts';
import { noiseWeights } from './ddim.ts';
import type { Schedule } from './schedule.ts';

/**
 * The noise that the network predicts in latents.
 * @param latents [N, C, h, w] at timestep `t`
 * @param prediction [N, C, h, w] the network's answer, in the schedule's prediction type
 */
export function noiseOf(latents: Tensor, prediction: Tensor, t: number, schedule: Schedule): Tensor {
  const weights = noiseWeights(schedule, schedule.alphaCumprod(t));
  return weightedSum(weights.latents, latents, weights.prediction, prediction);
}

/**
 * The noise that can be expected in the next step up, on a straight line through those of the steps below it.
 * @param last of the step below; `beforeLast` of the one below that, null where there is none
 */
export function extrapolateNoise(last: Tensor, beforeLast: Tensor | null): Tensor {
  return beforeLast === null ? last : weightedSum(2, last, -1, beforeLast);
}

/**
 * Moves latents one step up, to the timestep `t` of the schedule: the x_t from which a DDIM step with this noise leads
 * back to `below`.
 * @param below [N, C, h, w] at the next lower timestep of the schedule; below the lowest, the clean sample
 * @param noise [N, C, h, w]; null for none, the signal then only shrinks
 */
export function invertStep(below: Tensor, noise: Tensor | null, t: number, schedule: Schedule): Tensor {
  const { growth, sigma } = stepWeights(t, schedule);
  return noise === null ? weightedSum(growth, below, 0, below) : weightedSum(growth, below, sigma, noise);
}

/** The noise with which `invertStep` came from `below` to `above` at `t`. */
export function noiseOfStep(below: Tensor, above: Tensor, t: number, schedule: Schedule): Tensor {
  const { growth, sigma } = stepWeights(t, schedule);
  return weightedSum(1 / sigma, above, -growth / sigma, below);
}

/** x_t = growth * below + sigma * noise */
function stepWeights(t: number, schedule: Schedule): { readonly growth: number; readonly sigma: number } {
  if (!schedule.timesteps.includes(t)) {
    throw new RangeError(`invertStep: ${t} is not a timestep of the schedule.`);
  }
  // The target of the step down; in some spacings it is not the next timestep.
  const lower = schedule.previousTimestep(t);
  const alpha = schedule.alphaCumprod(t);
  const alphaBelow = lower < 0 ? schedule.finalAlphaCumprod : schedule.alphaCumprod(lower);
  const growth = Math.sqrt(alpha / alphaBelow);
  const sigma = Math.sqrt(1 - alpha) - growth * Math.sqrt(1 - alphaBelow);
  return { growth, sigma };
}
