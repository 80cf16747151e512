// How many tokens a frame has in the network's transformer blocks.

import type { LatentSize } from './denoising-network.ts';
import type { UNetConfig } from './unet-blocks.ts';

type Levels = Pick<UNetConfig, 'blockChannels' | 'transformerDepths'>;

/** Tokens of a frame per transformer block, in order of execution. */
export function tokensPerBlock(config: Levels, size: LatentSize): readonly number[] {
  return blocksOf(config, size).map(({ length }) => length);
}

/** Values of a frame's tokens in all transformer blocks together. */
export function tokenValues(config: Levels, size: LatentSize): number {
  return blocksOf(config, size).reduce((sum, { length, channels }) => sum + length * channels, 0);
}

/** In order of execution. */
function blocksOf(
  { blockChannels, transformerDepths: { down, middle, up } }: Levels,
  size: LatentSize,
): readonly { readonly length: number; readonly channels: number }[] {
  const deepest = blockChannels.length - 1;
  const blocks = (count: number, level: number) => {
    const length = Math.ceil(size.height / 2 ** level) * Math.ceil(size.width / 2 ** level);
    return Array.from({ length: count }, () => ({ length, channels: blockChannels[level] ?? 0 }));
  };
  return [
    ...down.flatMap((layers, level) => layers.flatMap((count) => blocks(count, level))),
    ...blocks(middle.depth, deepest),
    ...up.flatMap((layers, i) => layers.flatMap((count) => blocks(count, deepest - i))),
  ];
}
