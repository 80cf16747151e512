// AutoencoderKL: pixels <-> latents. Names are the checkpoint's keys.
// Architecture: latent diffusion, arXiv 2112.10752, appendix G; downsampling pads right and bottom only.

import { GraphBuilder, type GraphOptions } from '../onnx/builder.ts';
import { symbol } from '../onnx/dims.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import { attention } from './attention.ts';
import type { LatentSize } from './denoising-network.ts';
import { channels, conv2d, groupNorm, linear, silu, spatial, toImage, toTokens } from './layers.ts';

const epsilon = 1e-6;
const logVarianceRange = { low: -30, high: 20 };

export interface VaeConfig {
  /** Channels per level, finest first. The image is halved between levels. */
  readonly blockChannels: readonly number[];
  readonly layersPerBlock: number;
  readonly latentChannels: number;
  readonly normGroups: number;
  /** Latents are multiplied by it before the UNet and divided before decoding. */
  readonly scalingFactor: number;
  /** Pixels per latent along each axis. */
  readonly downscale: number;
  readonly hasQuantConv: boolean;
  readonly hasPostQuantConv: boolean;
}

/**
 * Inputs: `image` float32 [frames, 3, h*downscale, w*downscale] in -1..1.
 * Outputs: `mean` and `logvar` float32 [frames, C, h, w] of the latent's Gaussian, before the scaling factor.
 */
export function buildVaeEncoder(config: VaeConfig, size: LatentSize, options: GraphOptions): Graph {
  const g = new GraphBuilder(options);
  const { blockChannels, latentChannels, downscale } = config;
  const image = g.input('image', 'float32', [symbol('frames'), 3, size.height * downscale, size.width * downscale]);
  let x = conv2d(g, ops.cast(g, image, g.float), 'encoder.conv_in', blockChannels[0] ?? 0);
  blockChannels.forEach((count, level) => {
    const block = `encoder.down_blocks.${level}`;
    for (let layer = 0; layer < config.layersPerBlock; layer++) {
      x = resnet(g, x, `${block}.resnets.${layer}`, count, config);
    }
    if (level < blockChannels.length - 1) {
      const key = `${block}.downsamplers.0.conv`;
      x = conv2d(g, x, key, count, { stride: 2, pads: [0, 0, 1, 1] });
    }
  });
  x = midBlock(g, x, 'encoder.mid_block', config);
  x = normAct(g, x, 'encoder.conv_norm_out', config);
  x = conv2d(g, x, 'encoder.conv_out', 2 * latentChannels);
  if (config.hasQuantConv) x = conv2d(g, x, 'quant_conv', 2 * latentChannels, { kernel: 1 });
  g.output('mean', ops.slice(g, x, 1, 0, latentChannels));
  const { low, high } = logVarianceRange;
  g.output('logvar', ops.clip(g, ops.slice(g, x, 1, latentChannels, 2 * latentChannels), low, high));
  return g.finish();
}

/**
 * Inputs: `latents` float32 [frames, C, h, w], already divided by the scaling factor.
 * Outputs: `image` float32 [frames, 3, h*downscale, w*downscale], about -1..1, not clamped.
 */
export function buildVaeDecoder(config: VaeConfig, size: LatentSize, options: GraphOptions): Graph {
  const g = new GraphBuilder(options);
  const { blockChannels, latentChannels } = config;
  const latents = g.input('latents', 'float32', [symbol('frames'), latentChannels, size.height, size.width]);
  let x = ops.cast(g, latents, g.float);
  if (config.hasPostQuantConv) x = conv2d(g, x, 'post_quant_conv', latentChannels, { kernel: 1 });
  x = conv2d(g, x, 'decoder.conv_in', blockChannels.at(-1) ?? 0);
  x = midBlock(g, x, 'decoder.mid_block', config);
  blockChannels.toReversed().forEach((count, level) => {
    const block = `decoder.up_blocks.${level}`;
    for (let layer = 0; layer <= config.layersPerBlock; layer++) {
      x = resnet(g, x, `${block}.resnets.${layer}`, count, config);
    }
    if (level < blockChannels.length - 1) {
      x = conv2d(g, ops.resizeNearest2x(g, x), `${block}.upsamplers.0.conv`, count);
    }
  });
  x = normAct(g, x, 'decoder.conv_norm_out', config);
  g.output('image', conv2d(g, x, 'decoder.conv_out', 3));
  return g.finish();
}

function normAct(g: GraphBuilder, x: Value, key: string, { normGroups }: VaeConfig): Value {
  return silu(g, groupNorm(g, x, key, { groups: normGroups, epsilon }));
}

function resnet(g: GraphBuilder, x: Value, key: string, count: number, config: VaeConfig): Value {
  const first = conv2d(g, normAct(g, x, `${key}.norm1`, config), `${key}.conv1`, count);
  const second = conv2d(g, normAct(g, first, `${key}.norm2`, config), `${key}.conv2`, count);
  const skip = channels(x) === count ? x : conv2d(g, x, `${key}.conv_shortcut`, count, { kernel: 1 });
  return ops.add(g, skip, second);
}

function midBlock(g: GraphBuilder, x: Value, key: string, config: VaeConfig): Value {
  const count = channels(x);
  const before = resnet(g, x, `${key}.resnets.0`, count, config);
  const attended = midAttention(g, before, `${key}.attentions.0`, config);
  return resnet(g, attended, `${key}.resnets.1`, count, config);
}

/** Single-head self-attention over all positions, with a residual. */
function midAttention(g: GraphBuilder, x: Value, key: string, config: VaeConfig): Value {
  const count = channels(x);
  const { height, width } = spatial(x);
  const normed = groupNorm(g, x, `${key}.group_norm`, { groups: config.normGroups, epsilon });
  const tokens = toTokens(g, normed);
  const length = height * width;
  const batched = (name: string) => ops.reshape(g, linear(g, tokens, `${key}.${name}`, count), [-1, length, count]);
  const mixed = g.scope(key, () =>
    attention(g, batched('to_q'), batched('to_k'), batched('to_v'), {
      heads: 1,
      queries: length,
      keys: length,
    }),
  );
  const out = linear(g, ops.reshape(g, mixed, [-1, count]), `${key}.to_out.0`, count);
  return ops.add(g, x, toImage(g, out, height, width));
}
