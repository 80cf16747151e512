// The numbers about the picture that the network was trained with (SDXL, arXiv 2307.01952, section 2.2).

import { tensor, type Tensor } from '../../tensor/tensor.ts';
import type { PictureSize } from '../family.ts';

/** How many there are. */
export const timeIdCount = 6;

/**
 * [1, 6]: original height and width, top and left of the crop, target height and width. Pictures that are shown small are told
 * as large as the training's with the same aspect: the network makes blurred pictures where the original is said to be small.
 * @param trainingSide of the square that the network was trained on, in pixels
 */
export function timeIdsOf({ width, height }: PictureSize, trainingSide: number): Tensor {
  const scale = Math.max(1, trainingSide / Math.sqrt(width * height));
  const told = [Math.round(scale * height), Math.round(scale * width)];
  return tensor([1, timeIdCount], Float32Array.from([...told, 0, 0, ...told]));
}
