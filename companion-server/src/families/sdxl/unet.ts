// The UNet of Stable Diffusion XL (arXiv 2307.01952). Its inputs: latents, timestep, the prompt's tokens by cross-attention,
// and the pooled embedding and the numbers about the picture beside the timestep.

import { timestepEmbedding } from '../../diffusion/timestep-embedding.ts';
import type { Conditioning } from '../../nets/conditioning.ts';
import type { DenoisingNetwork } from '../../nets/denoising-network.ts';
import { tokensPerBlock, tokenValues } from '../../nets/token-counts.ts';
import { buildUNet } from '../../nets/unet.ts';
import type { ConditioningInputs } from '../../nets/unet-blocks.ts';
import { symbol } from '../../onnx/dims.ts';
import * as ops from '../../onnx/ops.ts';
import { concatRows, tensor, type Tensor } from '../../tensor/tensor.ts';
import { injectionPoints } from './injection-points.ts';
import type { SdxlUNetConfig } from './unet-config.ts';

/** Its inputs are `time_features` [1, C0], `added_features` [branches, F] and `context` [branches, tokens, D]. */
export function denoisingUNet(config: SdxlUNetConfig): DenoisingNetwork {
  const { latentChannels, blockChannels, transformerDepths } = config;
  const told = unetConditioning(config);
  return {
    latentChannels,
    injectionPoints,
    form: `${blockChannels.join('-')} with ${JSON.stringify(transformerDepths)}`,
    finestLevel: finestAttention(config),
    tokensPerBlock: (size) => tokensPerBlock(config, size),
    tokenValues: (size) => tokenValues(config, size),
    build: (g, latents, hooks) => buildUNet(g, config, { latents, ...told.inputs(g, hooks.branches) }, hooks),
    feeds: (timestep, conditioning) => told.feeds(timestep, conditioning),
  };
}

/** What the UNet and its ControlNets are told beside the latents. */
export function unetConditioning(config: SdxlUNetConfig): ConditioningInputs {
  const { blockChannels, crossAttentionDim, flipSinToCos, frequencyShift, timeIdFeatures, addedFeatures } = config;
  const width = blockChannels[0] ?? 0;
  const sinusoid = (value: number, dim: number) =>
    timestepEmbedding(value, { dim, flipSinToCos, freqShift: frequencyShift });
  return {
    inputs(g, branches) {
      const input = (name: string, dims: Parameters<typeof g.input>[2]) =>
        ops.cast(g, g.input(name, 'float32', dims), g.float);
      return {
        timeFeatures: input('time_features', [1, width]),
        addedFeatures: input('added_features', [branches, addedFeatures]),
        context: input('context', [branches, symbol('tokens'), crossAttentionDim]),
      };
    },
    feeds: (timestep, conditioning) => ({
      time_features: tensor([1, width], sinusoid(timestep, width)),
      added_features: concatRows(conditioning.map((one) => added(one))),
      context: concatRows(conditioning.map(({ tokens }) => tokens)),
    }),
  };

  /** [1, F] */
  function added({ pooled, timeIds }: Conditioning): Tensor {
    if (pooled === undefined || timeIds === undefined) throw new TypeError('The conditioning lacks a part.');
    const sinusoids = Array.from(timeIds.data, (id) => [...sinusoid(id, timeIdFeatures)]);
    return tensor([1, addedFeatures], Float32Array.from([...pooled.data, ...sinusoids.flat()]));
  }
}

/** The finest level has no transformers; where the attention is finest, work is largest. */
function finestAttention({ blockChannels, heads, transformerDepths }: SdxlUNetConfig) {
  const attends = transformerDepths.down.findIndex((layers) => layers.some((depth) => depth > 0));
  const level = Math.max(0, attends);
  return { channels: blockChannels[level] ?? 0, heads: heads[level] ?? 1 };
}
