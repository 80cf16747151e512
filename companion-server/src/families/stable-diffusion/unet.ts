// The UNet of Stable Diffusion 1.x and 2.x. Its inputs: latents, timestep, and the prompt's tokens by cross-attention.

import { timestepEmbedding } from '../../diffusion/timestep-embedding.ts';
import type { DenoisingNetwork } from '../../nets/denoising-network.ts';
import { tokensPerBlock, tokenValues } from '../../nets/token-counts.ts';
import { buildUNet } from '../../nets/unet.ts';
import type { ConditioningInputs, UNetConfig } from '../../nets/unet-blocks.ts';
import { symbol } from '../../onnx/dims.ts';
import * as ops from '../../onnx/ops.ts';
import { concatRows, tensor } from '../../tensor/tensor.ts';
import { injectionPoints as usualPoints } from './injection-points.ts';

/** Its inputs are `time_features` [1, C0] and `context` [branches, tokens, D]. */
export function denoisingUNet(config: UNetConfig, injectionPoints = usualPoints): DenoisingNetwork {
  const { latentChannels, blockChannels, heads } = config;
  const told = unetConditioning(config);
  return {
    latentChannels,
    injectionPoints,
    form: blockChannels.join('-'),
    finestLevel: { channels: blockChannels[0] ?? 0, heads: heads[0] ?? 1 },
    tokensPerBlock: (size) => tokensPerBlock(config, size),
    tokenValues: (size) => tokenValues(config, size),
    build: (g, latents, hooks) => buildUNet(g, config, { latents, ...told.inputs(g, hooks.branches) }, hooks),
    feeds: (timestep, conditioning) => told.feeds(timestep, conditioning),
  };
}

/** What the UNet and its ControlNets are told beside the latents. */
export function unetConditioning(config: UNetConfig): ConditioningInputs {
  const { blockChannels, crossAttentionDim, flipSinToCos, frequencyShift } = config;
  const width = blockChannels[0] ?? 0;
  return {
    inputs: (g, branches) => ({
      timeFeatures: ops.cast(g, g.input('time_features', 'float32', [1, width]), g.float),
      context: ops.cast(g, g.input('context', 'float32', [branches, symbol('tokens'), crossAttentionDim]), g.float),
    }),
    feeds: (timestep, conditioning) => ({
      time_features: tensor(
        [1, width],
        timestepEmbedding(timestep, { dim: width, flipSinToCos, freqShift: frequencyShift }),
      ),
      context: concatRows(conditioning.map(({ tokens }) => tokens)),
    }),
  };
}
