// One step of inversion against the very map that sampling will apply. A DDIM step down from x_t uses the noise that the
// network sees in x_t, which inversion does not have yet. It is anticipated from the steps below (a fixed-point iteration
// with no iteration: the first guess is good enough), so that a step costs one forward and is undone to second order.

import type { Tensor } from '../tensor/tensor.ts';
import { weightedSum } from '../tensor/weighted-sum.ts';
import { noiseWeights } from './ddim.ts';
import type { Schedule } from './schedule.ts';

/**
 * The noise that the network sees in latents.
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
export function anticipateNoise(last: Tensor, beforeLast: Tensor | null): Tensor {
  return beforeLast === null ? last : weightedSum(2, last, -1, beforeLast);
}

/**
 * Moves latents one step up, to the timestep `t` of the schedule: the x_t from which a DDIM step with this noise leads
 * back to `below`.
 * @param below [N, C, h, w] at the next lower timestep of the schedule; below the lowest, the clean sample
 * @param noise [N, C, h, w]; null for none, the signal then only shrinks
 */
export function climb(below: Tensor, noise: Tensor | null, t: number, schedule: Schedule): Tensor {
  const { growth, sigma } = stepWeights(t, schedule);
  return noise === null ? weightedSum(growth, below, 0, below) : weightedSum(growth, below, sigma, noise);
}

/** The noise of a step that was climbed: what `climb` was given to come from `below` to `above` at `t`. */
export function noiseOfStep(below: Tensor, above: Tensor, t: number, schedule: Schedule): Tensor {
  const { growth, sigma } = stepWeights(t, schedule);
  return weightedSum(1 / sigma, above, -growth / sigma, below);
}

/** x_t = growth * below + sigma * noise */
function stepWeights(t: number, schedule: Schedule): { readonly growth: number; readonly sigma: number } {
  if (!schedule.timesteps.includes(t)) {
    throw new RangeError(`climb: ${t} is not a timestep of the schedule.`);
  }
  // Where the step down leads, which is not the next timestep in every spacing.
  const lower = schedule.previousTimestep(t);
  const alpha = schedule.alphaCumprod(t);
  const alphaBelow = lower < 0 ? schedule.finalAlphaCumprod : schedule.alphaCumprod(lower);
  const growth = Math.sqrt(alpha / alphaBelow);
  const sigma = Math.sqrt(1 - alpha) - growth * Math.sqrt(1 - alphaBelow);
  return { growth, sigma };
}
