// How many transformer blocks a UNet has, and where.

/** Counts of transformer blocks; 0 where a layer has no transformer. */
export interface TransformerDepths {
  /** Per level, finest first: of each layer on the way down. */
  readonly down: readonly (readonly number[])[];
  /** Two residual blocks around a transformer, one residual block alone, or nothing. */
  readonly middle: { readonly residualBlocks: 0 | 1 | 2; readonly depth: number };
  /** Per level, deepest first: of each layer on the way up, of which there is one more than on the way down. */
  readonly up: readonly (readonly number[])[];
}

/**
 * Depths that are equal in all layers of a level, on the way down and up; the middle has as many blocks as the deepest level.
 * @param levels per level, finest first
 */
export function evenDepths(
  levels: readonly { readonly hasAttention: boolean; readonly depth: number }[],
  layersPerBlock: number,
): TransformerDepths {
  const layers = (count: number) =>
    levels.map(({ hasAttention, depth }) => Array<number>(count).fill(hasAttention ? depth : 0));
  return {
    down: layers(layersPerBlock),
    middle: { residualBlocks: 2, depth: levels.at(-1)?.depth ?? 1 },
    up: layers(layersPerBlock + 1).reverse(),
  };
}
