// One DDIM step down (sampling) or up (inversion), eta 0, and the forward process. Song, Meng and Ermon,
// Denoising Diffusion Implicit Models, arXiv 2010.02502, equation 12. Pure functions of tensors.
// Notation: x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) eps, with a = alphaCumprod.

import type { Tensor } from '../tensor/tensor.ts';
import { weightedSum } from '../tensor/weighted-sum.ts';
import type { Schedule } from './schedule.ts';

/**
 * Moves latents one sampling step towards the clean sample:
 *
 *     x_0 = (x_t - sqrt(1 - a_t) eps) / sqrt(a_t)
 *     x_prev = sqrt(a_prev) x_0 + sqrt(1 - a_prev) eps
 *
 * @param latents [N, C, h, w] x_t
 * @param prediction [N, C, h, w] the network's answer at `t`, in the schedule's prediction type
 * @param t one of the schedule's timesteps
 * @returns [N, C, h, w] x_prev, `previousTimestep(t)` or the clean sample below 0
 */
export function stepDdim(latents: Tensor, prediction: Tensor, t: number, schedule: Schedule): Tensor {
  const alpha = schedule.alphaCumprod(t);
  const previous = schedule.previousTimestep(t);
  const alphaPrevious = previous >= 0 ? schedule.alphaCumprod(previous) : schedule.finalAlphaCumprod;
  const original = originalWeights(schedule, alpha);
  const noise = noiseWeights(schedule, alpha);
  const signal = Math.sqrt(alphaPrevious);
  const sigma = Math.sqrt(1 - alphaPrevious);
  return weightedSum(
    signal * original.latents + sigma * noise.latents,
    latents,
    signal * original.prediction + sigma * noise.prediction,
    prediction,
  );
}

/**
 * Moves latents one step of DDIM inversion towards noise, as TokenFlow's preprocessing does: the network has
 * looked at the latents of the step below, but at timestep `t`, where the step leads:
 *
 *     x_0 = (x_below - sqrt(1 - a_below) eps) / sqrt(a_below)
 *     x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) eps
 *
 * a_below belongs to the next lower timestep of the schedule, or is `finalAlphaCumprod` under the lowest. A
 * velocity is turned into eps with the weights of `t`, as there.
 *
 * @param latents [N, C, h, w] x_below
 * @param prediction [N, C, h, w] the network's answer to `latents` at `t`
 * @param t one of the schedule's timesteps
 * @returns [N, C, h, w] x_t
 */
export function invertDdimStep(latents: Tensor, prediction: Tensor, t: number, schedule: Schedule): Tensor {
  const index = schedule.timesteps.indexOf(t);
  if (index < 0) throw new RangeError(`invertDdimStep: ${t} is not a timestep of the schedule.`);
  const below = schedule.timesteps[index + 1];
  const alpha = schedule.alphaCumprod(t);
  const alphaBelow = below === undefined ? schedule.finalAlphaCumprod : schedule.alphaCumprod(below);
  const noise = noiseWeights(schedule, alpha);
  const growth = Math.sqrt(alpha / alphaBelow);
  const sigma = Math.sqrt(1 - alpha) - growth * Math.sqrt(1 - alphaBelow);
  return weightedSum(growth + sigma * noise.latents, latents, sigma * noise.prediction, prediction);
}

/**
 * The forward process: puts a clean sample at timestep `t` of the schedule. SDEdit (arXiv 2108.01073) starts so.
 * @param original [N, C, h, w] x_0
 * @param noise [N, C, h, w] standard normal
 * @returns [N, C, h, w] x_t
 */
export function addNoise(original: Tensor, noise: Tensor, t: number, schedule: Schedule): Tensor {
  const alpha = schedule.alphaCumprod(t);
  return weightedSum(Math.sqrt(alpha), original, Math.sqrt(1 - alpha), noise);
}

/**
 * The noise that a clean sample was brought to timestep `t` with: what `addNoise` was given.
 * @param noised [N, C, h, w] x_t
 * @param original [N, C, h, w] x_0
 */
export function noiseIn(noised: Tensor, original: Tensor, t: number, schedule: Schedule): Tensor {
  const alpha = schedule.alphaCumprod(t);
  const sigma = Math.sqrt(1 - alpha);
  return weightedSum(1 / sigma, noised, -Math.sqrt(alpha) / sigma, original);
}

/**
 * The clean sample that the network predicts.
 * @param latents [N, C, h, w] x_t
 * @param prediction [N, C, h, w] the network's answer at `t`, in the schedule's prediction type
 * @returns [N, C, h, w] x_0
 */
export function predictClean(latents: Tensor, prediction: Tensor, t: number, schedule: Schedule): Tensor {
  const original = originalWeights(schedule, schedule.alphaCumprod(t));
  return weightedSum(original.latents, latents, original.prediction, prediction);
}

/** A value as a weighted sum of the latents and the network's prediction. */
export interface Weights {
  readonly latents: number;
  readonly prediction: number;
}

/** x_0 from x_t and the prediction, where `alpha` of the signal's variance is left. */
export function originalWeights({ predictionType }: Schedule, alpha: number): Weights {
  switch (predictionType) {
    case 'epsilon':
      return { latents: 1 / Math.sqrt(alpha), prediction: -Math.sqrt((1 - alpha) / alpha) };
    case 'v_prediction':
      return { latents: Math.sqrt(alpha), prediction: -Math.sqrt(1 - alpha) };
    case 'sample':
      return { latents: 0, prediction: 1 };
  }
}

/** eps from x_t and the prediction, where `alpha` of the signal's variance is left. */
export function noiseWeights({ predictionType }: Schedule, alpha: number): Weights {
  switch (predictionType) {
    case 'epsilon':
      return { latents: 0, prediction: 1 };
    case 'v_prediction':
      return { latents: Math.sqrt(1 - alpha), prediction: Math.sqrt(alpha) };
    case 'sample':
      return { latents: 1 / Math.sqrt(1 - alpha), prediction: -Math.sqrt(alpha / (1 - alpha)) };
  }
}
