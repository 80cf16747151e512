// What the fast schedule needs of a diffusion network: passes over the source that record what sampling will need of it,
// and passes over the edit that use the records. Latents are [N, C, h, w], contexts [prompts, tokens, D].

import type { Tensor } from '../tensor/tensor.ts';
import type { Contexts, Injection } from './denoiser.ts';

/** The source's normalised tokens of K keyframes, per transformer block [K, S, D], unit length. */
export type SourceTokens = readonly Tensor[];

/** A frame's keyframes, as positions among given ones. Both are equal where only one serves. */
export interface KeyframePair {
  readonly left: number;
  readonly right: number;
}

/** What is kept of N frames of the source at one step. */
export interface SourceRecords {
  /**
   * [N, 2, T]: for each of a frame's T tokens, block after block, the position of its nearest neighbour within the left
   * and the right keyframe.
   */
  readonly nearest: Uint16Array;
}

/** Predictions [N, C, h, w]; `negative` is null where no guidance was asked for. */
export interface BranchPrediction {
  readonly negative: Tensor | null;
  readonly target: Tensor;
}

export interface JointInput {
  readonly edited: Tensor;
  /** The source's stored latents of the same frames; null where nothing of the source is injected. */
  readonly source: Tensor | null;
  readonly timestep: number;
  readonly contexts: Contexts;
  readonly injection: Injection;
  /** Whether the negative prompt's branch runs as well. */
  readonly guided: boolean;
}

export interface CarriedInput {
  readonly edited: Tensor;
  readonly timestep: number;
  readonly contexts: Contexts;
  readonly records: SourceRecords;
  /** Per frame: its keyframes among those of `tokens`, and the share of the right one, 0..1. */
  readonly pairs: readonly KeyframePair[];
  readonly rightWeight: readonly number[];
  /** Per transformer block [E, K, S, D], E = 2 with the negative prompt's branch first, else 1. */
  readonly tokens: readonly Tensor[];
}

export interface FastDenoiser {
  /** One branch, ordinary attention: the network as trained. context [1, tokens, D] */
  predict(latents: Tensor, timestep: number, context: Tensor): Promise<Tensor>;
  /** The same, and the tokens in which other frames look for theirs. */
  recordKeyframes(
    latents: Tensor,
    timestep: number,
    context: Tensor,
  ): Promise<{ readonly prediction: Tensor; readonly tokens: SourceTokens }>;
  /** The same, and where each frame's tokens are found in its two keyframes. */
  recordFrames(
    latents: Tensor,
    timestep: number,
    context: Tensor,
    keyframes: { readonly tokens: SourceTokens; readonly pairs: readonly KeyframePair[] },
  ): Promise<{ readonly prediction: Tensor; readonly records: SourceRecords }>;
  /** Keyframes with extended attention (section 4.1): their predictions, and the tokens to carry, per block [E, K, S, D]. */
  editJointly(
    input: JointInput,
  ): Promise<{ readonly prediction: BranchPrediction; readonly tokens: readonly Tensor[] }>;
  /** Other frames from their keyframes' tokens (section 4.2); guided when the tokens have two branches. */
  editCarried(input: CarriedInput): Promise<BranchPrediction>;
}

/** Where records lie between recording and sampling. */
export interface RecordStore {
  /** Of the frames `frames` at sampling step `step`. */
  write(step: number, frames: readonly number[], records: SourceRecords): Promise<void>;
  read(step: number, frames: readonly number[]): Promise<SourceRecords>;
}
