// Classifier-free guidance: Ho and Salimans, arXiv 2207.12598, in the form that Stable Diffusion uses.

import { type Tensor, tensor } from '../tensor/tensor.ts';

/**
 * Pushes a prediction away from the negative prompt's: negative + scale * (target - negative).
 * @param negative [N, C, h, w] the prediction for the negative (or empty) prompt
 * @param target [N, C, h, w] the prediction for the prompt
 * @param scale 1 gives `target`, 0 gives `negative`, 7.5 is usual
 * @returns [N, C, h, w]
 */
export function guide(negative: Tensor, target: Tensor, scale: number): Tensor {
  if (negative.dims.join() !== target.dims.join()) {
    throw new RangeError(`guide: dims [${negative.dims.join(', ')}] and [${target.dims.join(', ')}] must be equal.`);
  }
  if (scale === 1) return target;
  const guided = tensor(target.dims);
  for (let i = 0; i < guided.data.length; i++) {
    const base = negative.data[i] as number;
    guided.data[i] = base + scale * ((target.data[i] as number) - base);
  }
  return guided;
}
