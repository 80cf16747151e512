// How many tokens a frame has in the network's transformer blocks.

import type { LatentSize } from './denoising-network.ts';
import type { UNetConfig } from './unet.ts';

/** Tokens of a frame per transformer block, in order of execution. */
export function tokensPerBlock(
  { blockChannels, transformerDepths }: Pick<UNetConfig, 'blockChannels' | 'transformerDepths'>,
  size: LatentSize,
): readonly number[] {
  const { down, middle, up } = transformerDepths;
  const deepest = blockChannels.length - 1;
  const blocks = (count: number, level: number): number[] =>
    Array<number>(count).fill(Math.ceil(size.height / 2 ** level) * Math.ceil(size.width / 2 ** level));
  return [
    ...down.flatMap((layers, level) => layers.flatMap((count) => blocks(count, level))),
    ...blocks(middle.depth, deepest),
    ...up.flatMap((layers, i) => layers.flatMap((count) => blocks(count, deepest - i))),
  ];
}
