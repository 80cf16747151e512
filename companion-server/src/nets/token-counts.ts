// How many tokens a frame has in the network's transformer blocks.

import type { UNetConfig } from './unet-config.ts';
import type { LatentSize } from './pass-graph.ts';

/** Tokens of a frame per transformer block, in order of execution. */
export function tokensPerBlock(
  { blockChannels, layersPerBlock, hasAttention }: UNetConfig,
  size: LatentSize,
): readonly number[] {
  const levels = blockChannels.map(
    (_, level) => Math.ceil(size.height / 2 ** level) * Math.ceil(size.width / 2 ** level),
  );
  const deepest = levels.length - 1;
  const at = (level: number, layers: number): number[] =>
    hasAttention[level] === true ? Array<number>(layers).fill(levels[level] ?? 0) : [];
  return [
    ...levels.flatMap((_, level) => at(level, layersPerBlock)),
    levels[deepest] ?? 0,
    ...levels.flatMap((_, i) => at(deepest - i, layersPerBlock + 1)),
  ];
}
