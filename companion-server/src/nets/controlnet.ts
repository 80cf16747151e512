// ControlNet (arXiv 2302.05543): a copy of the UNet's way down that sees a control picture as well, and returns what the
// UNet adds to its skip connections and to its middle block. Names are diffusers' keys of ControlNetModel.

import { GraphBuilder, type GraphOptions } from '../onnx/builder.ts';
import { symbol } from '../onnx/dims.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Conditioning } from './conditioning.ts';
import type { LatentSize } from './denoising-network.ts';
import { channels, conv2d, silu, spatial } from './layers.ts';
import { ownAttention } from './self-attention.ts';
import { UNetBlocks, type ConditioningInputs, type UNetConfig } from './unet-blocks.ts';

export interface ControlNetConfig {
  /** Of the way down and the middle. */
  readonly unet: UNetConfig;
  /** Channels of the control picture's embedding. Between two of them the picture is halved. */
  readonly embeddingChannels: readonly number[];
  /** Of the control picture. */
  readonly channelOrder: 'rgb' | 'bgr';
  /** Whether residuals are means over the picture: such a network controls the target branch only. */
  readonly poolsResiduals: boolean;
}

/** A ControlNet as its family describes it. */
export interface ControlNetwork {
  readonly config: ControlNetConfig;
  /** Pixels of the control picture per latent along each axis. */
  readonly downscale: number;
  /** How many residuals it returns: one for each skip connection, and one for the middle block. */
  readonly residuals: number;
  /** See buildControlNet. */
  build(branches: number, size: LatentSize, options: GraphOptions): Graph;
  /** The values of the inputs for time and conditioning. */
  feeds(timestep: number, conditioning: readonly Conditioning[]): Readonly<Record<string, Tensor>>;
}

/** The network of a family whose UNet is told `conditioning`. */
export function controlNetwork(config: ControlNetConfig, conditioning: ConditioningInputs): ControlNetwork {
  const { blockChannels, layersPerBlock } = config.unet;
  return {
    config,
    downscale: 2 ** (config.embeddingChannels.length - 1),
    // conv_in, the layers of each level, the change of size behind all levels but the last, and the middle.
    residuals: 1 + blockChannels.length * layersPerBlock + (blockChannels.length - 1) + 1,
    build: (branches, size, options) => buildControlNet(config, conditioning, branches, size, options),
    feeds: (timestep, told) => conditioning.feeds(timestep, told),
  };
}

/**
 * Inputs: `latents` [frames, C, h, w], `picture` [frames, 3, h * downscale, w * downscale] in 0..1, `scales` [residuals], and
 * those of the conditioning. Outputs: `residual.{i}` [branches*frames, C, H, W], branch by branch, each multiplied by its
 * scale: of the skip connections from the finest level on, and last of the middle block.
 */
function buildControlNet(
  config: ControlNetConfig,
  conditioning: ConditioningInputs,
  branches: number,
  size: LatentSize,
  options: GraphOptions,
): Graph {
  const g = new GraphBuilder(options);
  const { unet, embeddingChannels } = config;
  const downscale = 2 ** (embeddingChannels.length - 1);
  const input = (name: string, dims: Parameters<typeof g.input>[2]) =>
    ops.cast(g, g.input(name, 'float32', dims), g.float);
  const frames = symbol('frames');
  const latents = input('latents', [frames, unet.latentChannels, size.height, size.width]);
  const picture = input('picture', [frames, 3, size.height * downscale, size.width * downscale]);
  const forEachBranch = (value: Value) =>
    branches === 1 ? value : ops.concat(g, Array<Value>(branches).fill(value), 0);
  const inputs = { latents: forEachBranch(latents), ...conditioning.inputs(g, branches) };
  const blocks = new UNetBlocks(g, unet, inputs, {
    branches,
    selfAttention: (builder, normed, block) => ownAttention(builder, normed, block, false),
    sharesConvolution: () => false,
  });
  const entering = ops.add(g, blocks.entry(), forEachBranch(embedPicture(g, picture, config)));
  const { skips, middle } = blocks.encode(entering);
  const scales = ops.reshape(g, input('scales', [skips.length + 1]), [skips.length + 1, 1, 1, 1]);
  [...skips, middle].forEach((value, i) => {
    const key = i < skips.length ? `controlnet_down_blocks.${i}` : 'controlnet_mid_block';
    const projected = conv2d(g, value, key, channels(value), { kernel: 1 });
    const residual = config.poolsResiduals ? meanOverPicture(g, projected) : projected;
    g.output(`residual.${i}`, ops.cast(g, ops.mul(g, residual, ops.slice(g, scales, 0, i, i + 1)), 'float32'));
  });
  return g.finish();
}

/** picture [frames, 3, H, W] -> [frames, C0, h, w] */
function embedPicture(
  g: GraphBuilder,
  picture: Value,
  { unet, embeddingChannels, channelOrder }: ControlNetConfig,
): Value {
  const key = 'controlnet_cond_embedding';
  const [first = 0] = embeddingChannels;
  let x = silu(g, conv2d(g, inOrder(g, picture, channelOrder), `${key}.conv_in`, first));
  embeddingChannels.slice(1).forEach((count, i) => {
    x = silu(g, conv2d(g, x, `${key}.blocks.${2 * i}`, channels(x)));
    x = silu(g, conv2d(g, x, `${key}.blocks.${2 * i + 1}`, count, { stride: 2 }));
  });
  return conv2d(g, x, `${key}.conv_out`, unet.blockChannels[0] ?? 0);
}

function inOrder(g: GraphBuilder, picture: Value, order: 'rgb' | 'bgr'): Value {
  if (order === 'rgb') return picture;
  return ops.concat(
    g,
    [2, 1, 0].map((channel) => ops.slice(g, picture, 1, channel, channel + 1)),
    1,
  );
}

/** [B, C, H, W] -> [B, C, H, W], every value the mean of its channel. */
function meanOverPicture(g: GraphBuilder, x: Value): Value {
  const count = channels(x);
  const { height, width } = spatial(x);
  const mean = ops.reshape(g, ops.reduceMean(g, ops.reshape(g, x, [-1, count, height * width])), [-1, count, 1, 1]);
  return ops.add(g, ops.mul(g, x, ops.scalar(g, 0)), mean);
}
