// What passes need from a denoising network, of any architecture. A family provides it (families/).

import type { GraphBuilder } from '../onnx/builder.ts';
import type { Value } from '../onnx/graph.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Conditioning } from './conditioning.ts';

/** Of the latents. */
export interface LatentSize {
  readonly height: number;
  readonly width: number;
}

export interface DenoisingNetwork {
  readonly latentChannels: number;
  readonly injectionPoints: InjectionPoints;
  /** Equal for networks that take equally long for equal latents, so that a measurement of one is valid for the other. */
  readonly form: string;
  /** The level at which latents have most tokens, which takes the most time. */
  readonly finestLevel: { readonly channels: number; readonly heads: number };
  /** Tokens of a frame per transformer block, in order of execution. */
  tokensPerBlock(size: LatentSize): readonly number[];
  /** Values of a frame's tokens in all transformer blocks together: what a keyframe takes while its tokens are kept. */
  tokenValues(size: LatentSize): number;
  /**
   * Records the network with inputs of its own for time and conditioning, by names that no pass uses (pass-hooks.ts).
   * Weights are asked for by checkpoint key. Each transformer block calls `hooks.selfAttention` once.
   * @param latents [branches*n, C, h, w], branch by branch
   */
  build(g: GraphBuilder, latents: Value, hooks: PassHooks): BuiltNetwork;
  /** The values for the inputs that `build` made. `conditioning` has one entry for each branch, in their order. */
  feeds(timestep: number, conditioning: readonly Conditioning[]): Readonly<Record<string, Tensor>>;
}

export interface BuiltNetwork {
  /** Noise or velocity [branches*n, C, h, w], of the branches that are left. */
  readonly prediction: Value;
  /** Branches that are left: all, or one less behind `leavesSourceAfter`. */
  readonly branches: number;
}

/** The injection points of Plug-and-Play (arXiv 2211.12572) in the network, as checkpoint keys. */
export interface InjectionPoints {
  /** The residual block whose features are injected. */
  readonly features: string;
  /** The self-attention layers whose queries and keys are injected. */
  readonly attention: RegExp;
}

/** A transformer block as its self-attention sees it. */
export interface SelfAttentionBlock {
  /** Checkpoint key of the attention, for instance `mid_block.attentions.0.transformer_blocks.{i}.attn1` */
  readonly key: string;
  /** Checkpoint keys of its projections. */
  readonly projections: {
    readonly query: string;
    readonly key: string;
    readonly value: string;
    readonly out: string;
  };
  /** Position of the block in order of execution, from 0. */
  readonly index: number;
  readonly heads: number;
  /** Whether the attention needs single precision. */
  readonly upcast: boolean;
  /** Tokens per picture, h*w of the level. */
  readonly length: number;
  readonly channels: number;
  /** Parts of the batch that are left here: all of the hooks', or one less behind `leavesSourceAfter`. */
  readonly branches: number;
}

/** What a pass puts into the network. */
export interface PassHooks {
  /** Equal parts of the batch, each with its own conditioning: 1 to 3, of source, negative and target in this order. */
  readonly branches: number;
  /** normed: normalised token rows [branches*n*length, C] -> rows of the attention's output, projected. */
  selfAttention(g: GraphBuilder, normed: Value, block: SelfAttentionBlock): Value;
  /**
   * Sees the token rows [branches*n*length, C] that enter and leave a transformer block, by its checkpoint key, for
   * comparisons.
   */
  observe?(g: GraphBuilder, blockKey: string, entering: Value, leaving: Value): void;
  /**
   * Sees the queries [branches, n*length, C] and the keys [branches, tokens, C] with which a transformer block looks at the
   * prompts.
   */
  promptAttention?(g: GraphBuilder, query: Value, keys: Value, block: SelfAttentionBlock): void;
  /** True when every branch gets the source branch's result of this residual block's second convolution. */
  sharesConvolution(resnetKey: string): boolean;
  /**
   * The skip connection `index` [branches*n, C, H, W], counted from the finest level, or behind the last of them the middle
   * block's output, with what ControlNets add to it; as it is when left out.
   */
  residual?(g: GraphBuilder, value: Value, index: number): Value;
  /** The residual block behind which the first branch, the source, need not be computed any more. */
  readonly leavesSourceAfter?: string;
}
