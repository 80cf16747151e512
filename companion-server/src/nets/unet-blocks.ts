// The blocks of UNet2DConditionModel as diffusers calls it, with text by cross-attention, and its way down. The UNet and
// ControlNets share them. Names are the checkpoint's keys. Architecture: latent diffusion, arXiv 2112.10752. What is special
// about an edit comes in from outside: the self-attention of every block, and the convolutions that Plug-and-Play shares
// between branches.

import type { GraphBuilder } from '../onnx/builder.ts';
import type { Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { attention, project } from './attention.ts';
import type { Conditioning } from './conditioning.ts';
import type { PassHooks, SelfAttentionBlock } from './denoising-network.ts';
import { channels, conv2d, gelu, groupNorm, layerNorm, linear, silu, spatial, toImage, toTokens } from './layers.ts';
import type { TransformerDepths } from './transformer-depths.ts';

const transformerNormEpsilon = 1e-6;

/** The network's sizes; read from a config by its family. */
export interface UNetConfig {
  readonly latentChannels: number;
  /** Channels per level, finest first. */
  readonly blockChannels: readonly number[];
  readonly transformerDepths: TransformerDepths;
  /** Per level. */
  readonly heads: readonly number[];
  readonly layersPerBlock: number;
  readonly crossAttentionDim: number;
  readonly normGroups: number;
  readonly normEpsilon: number;
  /** Whether attention needs single precision. */
  readonly upcastAttention: boolean;
  /** Of the sinusoidal timestep features. */
  readonly flipSinToCos: boolean;
  readonly frequencyShift: number;
  /** Side of the latents that the checkpoint was trained on. */
  readonly sampleSize: number;
}

export interface UNetInputs {
  /** Noisy latents [branches*n, C, h, w], branch by branch. */
  readonly latents: Value;
  /** Sinusoidal features of the timestep [1, blockChannels[0]] (diffusion/timestep-embedding.ts). */
  readonly timeFeatures: Value;
  /** Text embeddings [branches, tokens, crossAttentionDim]; `tokens` may be symbolic. */
  readonly context: Value;
  /** Further features [branches, F] of each branch, which are embedded and added to the time; left out where there are none. */
  readonly addedFeatures?: Value;
}

/** The inputs of a network besides its latents, and the values for them. */
export interface ConditioningInputs {
  /** Makes the inputs, for so many branches. */
  inputs(g: GraphBuilder, branches: number): Omit<UNetInputs, 'latents'>;
  /** `conditioning` has one entry for each branch, in their order. */
  feeds(timestep: number, conditioning: readonly Conditioning[]): Readonly<Record<string, Tensor>>;
}

/** What the way up begins with. */
export interface EncodedLatents {
  /** Skip connections [B, C, H, W], those of the finest level first. */
  readonly skips: readonly Value[];
  /** [B, C, H, W] behind the middle block. */
  readonly middle: Value;
}

/** Records blocks of one network. `branches` are the parts of the batch that are left. */
export class UNetBlocks {
  private readonly g: GraphBuilder;
  private readonly config: UNetConfig;
  private readonly inputs: UNetInputs;
  private readonly hooks: PassHooks;
  private contextRows: Value;
  /** What residual blocks are told: [1, T], or [branches, T] where branches are told different things. */
  private time: Value;
  branches: number;
  private blockIndex = 0;

  constructor(g: GraphBuilder, config: UNetConfig, inputs: UNetInputs, hooks: PassHooks) {
    this.g = g;
    this.config = config;
    this.inputs = inputs;
    this.hooks = hooks;
    this.branches = hooks.branches;
    this.contextRows = ops.reshape(g, inputs.context, [-1, config.crossAttentionDim]);
    this.time = silu(g, this.timeEmbedding());
  }

  /** [B, C0, h, w], the latents as the first level takes them. */
  entry(): Value {
    return conv2d(this.g, this.inputs.latents, 'conv_in', this.config.blockChannels[0] ?? 0);
  }

  /** The way down and the middle. `entering` [B, C0, h, w] is the first of the skip connections. */
  encode(entering: Value): EncodedLatents {
    const { g, config } = this;
    const { blockChannels, layersPerBlock, transformerDepths } = config;
    let x = entering;
    const skips = [x];
    blockChannels.forEach((count, level) => {
      const block = `down_blocks.${level}`;
      for (let layer = 0; layer < layersPerBlock; layer++) {
        x = this.resnet(x, `${block}.resnets.${layer}`, count);
        x = this.transformer(x, `${block}.attentions.${layer}`, level, transformerDepths.down[level]?.[layer]);
        skips.push(x);
      }
      if (level < blockChannels.length - 1) {
        x = conv2d(g, x, `${block}.downsamplers.0.conv`, count, { stride: 2 });
        skips.push(x);
      }
    });
    return { skips, middle: this.middle(x) };
  }

  /** Leaves the first branch, the source, out of all that follows. Returns the given values without it. */
  leaveSource(values: readonly Value[]): Value[] {
    const left = values.map((value) => this.withoutSource(value));
    this.contextRows = this.withoutSource(this.contextRows);
    if (this.isTimePerBranch) this.time = this.withoutSource(this.time);
    this.branches--;
    return left;
  }

  private middle(x: Value): Value {
    const { residualBlocks, depth } = this.config.transformerDepths.middle;
    const count = channels(x);
    if (residualBlocks === 0) return x;
    const entered = this.resnet(x, 'mid_block.resnets.0', count);
    if (residualBlocks === 1) return entered;
    const level = this.config.blockChannels.length - 1;
    const attended = this.transformer(entered, 'mid_block.attentions.0', level, depth);
    return this.resnet(attended, 'mid_block.resnets.1', count);
  }

  /** [1, 4*C0], or [branches, 4*C0] where there are added features */
  private timeEmbedding(): Value {
    const { g, inputs } = this;
    const time = this.embedding(inputs.timeFeatures, 'time_embedding');
    if (inputs.addedFeatures === undefined) return time;
    return ops.add(g, time, this.embedding(inputs.addedFeatures, 'add_embedding'));
  }

  private embedding(features: Value, key: string): Value {
    const { g } = this;
    const width = 4 * (this.config.blockChannels[0] ?? 0);
    const first = linear(g, features, `${key}.linear_1`, width);
    return linear(g, silu(g, first), `${key}.linear_2`, width);
  }

  private get isTimePerBranch(): boolean {
    return this.inputs.addedFeatures !== undefined;
  }

  resnetNorm() {
    return { groups: this.config.normGroups, epsilon: this.config.normEpsilon };
  }

  /** x [B, C, H, W] -> [B, count, H, W] */
  resnet(x: Value, key: string, count: number): Value {
    const { g } = this;
    const entering = silu(g, groupNorm(g, x, `${key}.norm1`, this.resnetNorm()));
    const first = conv2d(g, entering, `${key}.conv1`, count);
    const timed = this.withTime(first, linear(g, this.time, `${key}.time_emb_proj`, count));
    const second = silu(g, groupNorm(g, timed, `${key}.norm2`, this.resnetNorm()));
    const skip = channels(x) === count ? x : conv2d(g, x, `${key}.conv_shortcut`, count, { kernel: 1 });
    return ops.add(g, skip, this.secondConvolution(second, key, count));
  }

  /** x [branches*n, C, H, W], time [1 or branches, C] -> [branches*n, C, H, W] */
  private withTime(x: Value, time: Value): Value {
    const { g, branches } = this;
    const count = channels(x);
    if (branches === 1 || !this.isTimePerBranch) return ops.add(g, x, ops.reshape(g, time, [-1, count, 1, 1]));
    const { height, width } = spatial(x);
    const perBranch = ops.reshape(g, x, [branches, -1, count, height * width]);
    const timed = ops.add(g, perBranch, ops.reshape(g, time, [branches, 1, count, 1]));
    return ops.reshape(g, timed, [-1, count, height, width]);
  }

  /** [branches*M, ...] -> [(branches - 1)*M, ...], all but the first branch */
  private withoutSource(x: Value): Value {
    const [, ...others] = ops.split(this.g, x, 0, this.branches);
    return ops.concat(this.g, others, 0);
  }

  private secondConvolution(x: Value, key: string, count: number): Value {
    const { g, hooks, branches } = this;
    if (!hooks.sharesConvolution(key)) return conv2d(g, x, `${key}.conv2`, count);
    const [source] = ops.split(g, x, 0, branches);
    if (source === undefined) throw new TypeError(`${key}: no source branch to share.`);
    const shared = conv2d(g, source, `${key}.conv2`, count);
    return ops.concat(g, Array<Value>(branches).fill(shared), 0);
  }

  /** x [B, C, H, W] -> [B, C, H, W]; no blocks are no transformer. */
  transformer(x: Value, key: string, level: number, blocks = 0): Value {
    if (blocks === 0) return x;
    const { g } = this;
    const count = channels(x);
    const { height, width } = spatial(x);
    const norm = { groups: this.config.normGroups, epsilon: transformerNormEpsilon };
    const tokens = toTokens(g, groupNorm(g, x, `${key}.norm`, norm));
    let rows = linear(g, tokens, `${key}.proj_in`, count);
    const size = { heads: this.config.heads[level] ?? 1, length: height * width };
    for (let i = 0; i < blocks; i++) rows = this.transformerBlock(rows, `${key}.transformer_blocks.${i}`, size);
    const image = toImage(g, linear(g, rows, `${key}.proj_out`, count), height, width);
    return ops.add(g, x, image);
  }

  /** rows [B*length, C] -> rows [B*length, C] */
  private transformerBlock(rows: Value, blockKey: string, { heads, length }: { heads: number; length: number }): Value {
    const { g } = this;
    const key = `${blockKey}.attn1`;
    const block: SelfAttentionBlock = {
      key,
      projections: { query: `${key}.to_q`, key: `${key}.to_k`, value: `${key}.to_v`, out: `${key}.to_out.0` },
      index: this.blockIndex++,
      heads,
      upcast: this.config.upcastAttention,
      length,
      channels: channels(rows),
      branches: this.branches,
    };
    const selfAttended = this.hooks.selfAttention(g, layerNorm(g, rows, `${blockKey}.norm1`), block);
    const mixed = ops.add(g, rows, selfAttended);
    const cross = this.crossAttention(layerNorm(g, mixed, `${blockKey}.norm2`), blockKey, block);
    const informed = ops.add(g, mixed, cross);
    const forward = this.feedForward(layerNorm(g, informed, `${blockKey}.norm3`), `${blockKey}.ff`);
    const leaving = ops.add(g, informed, forward);
    this.hooks.observe?.(g, blockKey, rows, leaving);
    return leaving;
  }

  /** Each branch looks at its own row of the context: the branches are the batch, all its tokens one sequence. */
  private crossAttention(normed: Value, blockKey: string, block: SelfAttentionBlock): Value {
    const { g, branches } = this;
    const key = `${blockKey}.attn2`;
    const count = channels(normed);
    const perBranch = (rows: Value) => ops.reshape(g, rows, [branches, -1, count]);
    const query = perBranch(project(g, normed, `${key}.to_q`, count));
    const keys = perBranch(project(g, this.contextRows, `${key}.to_k`, count));
    const values = perBranch(project(g, this.contextRows, `${key}.to_v`, count));
    this.hooks.promptAttention?.(g, query, keys, block);
    const mixed = g.scope(key, () =>
      // Scores against a prompt's few tokens are small: one chunk.
      attention(g, query, keys, values, {
        heads: block.heads,
        queries: 1,
        keys: 1,
        upcast: this.config.upcastAttention,
      }),
    );
    return linear(g, ops.reshape(g, mixed, [-1, count]), `${key}.to_out.0`, count);
  }

  /**
   * Gated feed-forward layer, GEGLU (arXiv 2002.05202). Values and gates are projected apart: cutting one product in two
   * would copy the network's largest tensor.
   */
  private feedForward(normed: Value, key: string): Value {
    const { g } = this;
    const count = channels(normed);
    const half = (index: 0 | 1) => linear(g, normed, `${key}.net.0.proj`, 8 * count, { part: { index, count: 2 } });
    const gated = g.scope(key, () => ops.mul(g, half(0), gelu(g, half(1))));
    return linear(g, gated, `${key}.net.2`, count);
  }
}
