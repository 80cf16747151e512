// How many tokens a frame has in the network's transformer blocks.

import type { LatentSize } from './denoising-network.ts';
import type { UNetConfig } from './unet.ts';

/** Tokens of a frame per transformer block, in order of execution. */
export function tokensPerBlock(
  {
    blockChannels,
    layersPerBlock,
    hasAttention,
    transformerDepth,
  }: Pick<UNetConfig, 'blockChannels' | 'layersPerBlock' | 'hasAttention' | 'transformerDepth'>,
  size: LatentSize,
): readonly number[] {
  const levels = blockChannels.map(
    (_, level) => Math.ceil(size.height / 2 ** level) * Math.ceil(size.width / 2 ** level),
  );
  const deepest = levels.length - 1;
  const transformers = (level: number, count: number): number[] =>
    Array<number>(count * (transformerDepth[level] ?? 1)).fill(levels[level] ?? 0);
  const at = (level: number, layers: number): number[] =>
    hasAttention[level] === true ? transformers(level, layers) : [];
  return [
    ...levels.flatMap((_, level) => at(level, layersPerBlock)),
    ...transformers(deepest, 1),
    ...levels.flatMap((_, i) => at(deepest - i, layersPerBlock + 1)),
  ];
}
