// Guidance for frames between keyframes, without a negative branch of their own. The guidance of the keyframes (target's
// minus negative's prediction) is propagated along the same correspondences as the tokens.

import { tensor, type Tensor } from '../tensor/tensor.ts';
import type { Correspondences, KeyframePair } from './correspondences.ts';

export interface PropagatedGuidance {
  /** Target's minus negative's prediction of the keyframes [K, C, h, w]. */
  readonly guidance: Tensor;
  /** The last transformer block has one token on each latent position. */
  readonly correspondences: Correspondences;
  /** Per frame. */
  readonly pairs: readonly KeyframePair[];
  readonly rightWeight: readonly number[];
}

/** Per frame, what guidance of scale `scale` predicts: target + (scale - 1) * guidance. target [N, C, h, w] */
export function propagateGuidance(target: Tensor, scale: number, propagated: PropagatedGuidance): Tensor {
  const { guidance, correspondences, pairs, rightWeight } = propagated;
  const { nearest } = correspondences;
  const [, channels = 0, height = 0, width = 0] = target.dims;
  const positions = height * width;
  const tokens = nearest.length / (2 * pairs.length);
  const guided = tensor(target.dims);
  pairs.forEach(({ left, right }, frame) => {
    const share = rightWeight[frame] ?? 0;
    const fromLeft = (2 * frame + 1) * tokens - positions;
    const fromRight = fromLeft + tokens;
    for (let channel = 0; channel < channels; channel++) {
      const at = (frame * channels + channel) * positions;
      const leftAt = (left * channels + channel) * positions;
      const rightAt = (right * channels + channel) * positions;
      for (let i = 0; i < positions; i++) {
        const a = guidance.data[leftAt + (nearest[fromLeft + i] as number)] as number;
        const b = guidance.data[rightAt + (nearest[fromRight + i] as number)] as number;
        guided.data[at + i] = (target.data[at + i] as number) + (scale - 1) * (a + share * (b - a));
      }
    }
  });
  return guided;
}
