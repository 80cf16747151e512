// Masks of single frames, carried to all frames of an edit along the clip's correspondences.

import { tokenValues } from '../../mask/token-grid.ts';
import { tensor, type Tensor } from '../../tensor/tensor.ts';
import { carryAlong, tokenGrid, type CarryContext, type CarrySource } from '../correspondences/carry-along.ts';
import { openCoarseMask, type CoarseMask } from './coarse-mask.ts';
import type { GivenMask } from './given-mask.ts';

/** Carries the masks; with `source` null, the carried ones are in the work folder already. */
export async function openCarriedMask(
  edit: CarryContext,
  masks: readonly GivenMask[],
  source: CarrySource | null,
): Promise<CoarseMask> {
  const working = edit.plan.size;
  const grid = tokenGrid(edit);
  const valuesOf = async (n: number): Promise<Tensor> => {
    const mask = masks[n];
    if (mask === undefined) throw new RangeError(`There is no mask ${n}.`);
    return tensor([1, 1, grid.height, grid.width], tokenValues(await mask.draw(working.scaled), working, grid));
  };
  const given = masks.map(({ frame }) => frame);
  return openCoarseMask(edit, {
    name: 'mask-carried.latents',
    fill: source === null ? null : (store) => carryAlong(edit, source, { given, valuesOf, store }),
    exact: (frame, size) => masks.find((mask) => mask.frame === frame)?.draw(size),
  });
}
