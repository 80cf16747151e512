// The UNet of Stable Diffusion 1.x and 2.x. Its inputs: latents, timestep, and the prompt's tokens by cross-attention.

import { timestepEmbedding } from '../../diffusion/timestep-embedding.ts';
import type { DenoisingNetwork } from '../../nets/denoising-network.ts';
import { tokensPerBlock, tokenValues } from '../../nets/token-counts.ts';
import { buildUNet, type UNetConfig } from '../../nets/unet.ts';
import { symbol } from '../../onnx/dims.ts';
import * as ops from '../../onnx/ops.ts';
import { concatRows, tensor } from '../../tensor/tensor.ts';
import { injectionPoints as usualPoints } from './injection-points.ts';

/** Its inputs are `time_features` [1, C0] and `context` [branches, tokens, D]. */
export function denoisingUNet(config: UNetConfig, injectionPoints = usualPoints): DenoisingNetwork {
  const { latentChannels, blockChannels, heads, crossAttentionDim, flipSinToCos, frequencyShift } = config;
  const width = blockChannels[0] ?? 0;
  return {
    latentChannels,
    injectionPoints,
    form: blockChannels.join('-'),
    finestLevel: { channels: width, heads: heads[0] ?? 1 },
    tokensPerBlock: (size) => tokensPerBlock(config, size),
    tokenValues: (size) => tokenValues(config, size),
    build(g, latents, hooks) {
      const timeFeatures = ops.cast(g, g.input('time_features', 'float32', [1, width]), g.float);
      const contextDims = [hooks.branches, symbol('tokens'), crossAttentionDim];
      const context = ops.cast(g, g.input('context', 'float32', contextDims), g.float);
      return buildUNet(g, config, { latents, timeFeatures, context }, hooks);
    },
    feeds: (timestep, conditioning) => ({
      time_features: tensor(
        [1, width],
        timestepEmbedding(timestep, { dim: width, flipSinToCos, freqShift: frequencyShift }),
      ),
      context: concatRows(conditioning.map(({ tokens }) => tokens)),
    }),
  };
}
