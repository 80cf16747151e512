// A step of a latent consistency model (Luo et al., Latent Consistency Models, arXiv 2310.04378, algorithm 3): the network's
// answer becomes an estimate of the clean sample, which new noise brings to the next timestep. Numbers as diffusers'
// LCMScheduler makes them.

import type { Tensor } from '../tensor/tensor.ts';
import { weightedSum } from '../tensor/weighted-sum.ts';
import { originalWeights } from './ddim.ts';
import type { Schedule } from './schedule.ts';
import { lcmSigmaData, type Solver } from './solver.ts';

type LcmSchedule = Schedule & { readonly solver: Extract<Solver, { kind: 'lcm' }> };

export function isLcm(schedule: Schedule): schedule is LcmSchedule {
  return schedule.solver.kind === 'lcm';
}

/**
 * The consistency function: c_out(t) x_0 + c_skip(t) x_t, with the boundary scalings that make it the identity at t = 0.
 * @param latents [N, C, h, w] x_t
 * @param prediction [N, C, h, w] the network's answer at `t`, in the schedule's prediction type
 * @returns [N, C, h, w] the estimate of the clean sample
 */
export function denoiseLcm(latents: Tensor, prediction: Tensor, t: number, schedule: LcmSchedule): Tensor {
  const scaled = schedule.solver.timestepScaling * t;
  const square = scaled * scaled + lcmSigmaData * lcmSigmaData;
  const skip = (lcmSigmaData * lcmSigmaData) / square;
  const out = scaled / Math.sqrt(square);
  const original = originalWeights(schedule, schedule.alphaCumprod(t));
  return weightedSum(skip + out * original.latents, latents, out * original.prediction, prediction);
}

/**
 * Moves latents one step towards the clean sample.
 * @param noise [N, C, h, w] standard normal; null for none: the estimate is only scaled to the next timestep
 * @returns [N, C, h, w] at `previousTimestep(t)`, or the clean sample after the last step, which takes no noise
 */
export function stepLcm(
  latents: Tensor,
  prediction: Tensor,
  t: number,
  schedule: LcmSchedule,
  noise: Tensor | null,
): Tensor {
  const clean = denoiseLcm(latents, prediction, t, schedule);
  const previous = schedule.previousTimestep(t);
  if (previous < 0) return clean;
  const alpha = schedule.alphaCumprod(previous);
  return weightedSum(Math.sqrt(alpha), clean, noise === null ? 0 : Math.sqrt(1 - alpha), noise ?? clean);
}
