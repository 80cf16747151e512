// Guidance for frames between keyframes without their own negative branch: the keyframes' direction of guidance, target's
// minus negative's prediction, is carried along the same correspondences as the tokens.

import { tensor, type Tensor } from '../tensor/tensor.ts';
import type { KeyframePair, SourceRecords } from './fast-denoiser.ts';

export interface CarriedDirection {
  /** Of the keyframes [K, C, h, w]. */
  readonly direction: Tensor;
  /** The last transformer block's tokens lie one on each latent position. */
  readonly records: SourceRecords;
  /** Per frame. */
  readonly pairs: readonly KeyframePair[];
  readonly rightWeight: readonly number[];
}

/** Per frame, what guidance of scale `scale` predicts: target + (scale - 1) * direction. target [N, C, h, w] */
export function guideAlong(target: Tensor, scale: number, carried: CarriedDirection): Tensor {
  const { direction, records, pairs, rightWeight } = carried;
  const [, channels = 0, height = 0, width = 0] = target.dims;
  const positions = height * width;
  const tokens = records.nearest.length / (2 * pairs.length);
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
        const a = direction.data[leftAt + (records.nearest[fromLeft + i] as number)] as number;
        const b = direction.data[rightAt + (records.nearest[fromRight + i] as number)] as number;
        const carriedTo = a + share * (b - a);
        guided.data[at + i] = (target.data[at + i] as number) + (scale - 1) * carriedTo;
      }
    }
  });
  return guided;
}
