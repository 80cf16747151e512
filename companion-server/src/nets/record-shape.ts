// How much is recorded of a frame at one step: tokens of all transformer blocks, and the injected features.

import type { UNetConfig } from './unet-config.ts';
import type { LatentSize } from './unet-graphs.ts';

export interface RecordShape {
  /** Tokens of a frame per transformer block, in order of execution. */
  readonly tokens: readonly number[];
  /** [C, h, w] of what Plug-and-Play injects (injection-points.ts). */
  readonly features: readonly number[];
}

export function recordShape(
  { blockChannels, layersPerBlock, hasAttention }: UNetConfig,
  size: LatentSize,
): RecordShape {
  const levels = blockChannels.map((_, level) => ({
    height: Math.ceil(size.height / 2 ** level),
    width: Math.ceil(size.width / 2 ** level),
  }));
  const tokensAt = (level: number, layers: number): number[] => {
    const { height, width } = levels[level] ?? size;
    return hasAttention[level] === true ? Array<number>(layers).fill(height * width) : [];
  };
  const deepest = levels.length - 1;
  const { height, width } = levels[deepest] ?? size;
  const injected = levels[deepest - 1] ?? size;
  return {
    tokens: [
      ...levels.flatMap((_, level) => tokensAt(level, layersPerBlock)),
      height * width,
      ...levels.flatMap((_, i) => tokensAt(deepest - i, layersPerBlock + 1)),
    ],
    features: [blockChannels[deepest - 1] ?? 0, injected.height, injected.width],
  };
}
