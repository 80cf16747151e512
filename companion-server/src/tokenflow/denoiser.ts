// What the algorithm needs of a diffusion network. The real one runs ONNX graphs (engine/denoiser.ts); tests use a
// fake. All tensors are float32; latents are [N, C, h, w], contexts [prompts, tokens, D].

import type { Tensor } from '../tensor/tensor.ts';
import type { PropagationPlan } from './propagation.ts';

/** Text embeddings, each [1, tokens, D]. */
export interface Contexts {
  readonly source: Tensor;
  readonly negative: Tensor;
  readonly target: Tensor;
}

/** What Plug-and-Play injects from the source branch at one step. */
export interface Injection {
  /** Queries and keys of the decoder's self-attention. */
  readonly attention: boolean;
  /** Features of one residual block of the decoder. */
  readonly features: boolean;
}

/** N frames of one step: the source's stored latents and the edit's current ones. */
export interface StepInput {
  readonly source: Tensor; // [N, C, h, w]
  readonly edited: Tensor; // [N, C, h, w]
  readonly timestep: number;
  readonly contexts: Contexts;
  readonly injection: Injection;
}

/** Predictions of both edit branches, each [N, C, h, w]; guidance combines them. */
export interface EditPrediction {
  readonly negative: Tensor;
  readonly target: Tensor;
}

/** One transformer block's tokens of K keyframes. */
export interface BlockTokens {
  /** The source branch's normalised hidden states, scaled to unit length: the correspondence keys. */
  readonly source: Tensor; // [K, S, D]
  /** Outputs of the self-attention per branch (source, negative, target). */
  readonly attention: Tensor; // [3, K, S, D]
}

/** What the joint pass leaves behind for propagation: tokens per transformer block. */
export interface KeyframeTokens {
  /** Frame indices in the clip, rising. */
  readonly keyframes: readonly number[];
  readonly blocks: readonly BlockTokens[];
}

export interface Denoiser {
  /** One branch, ordinary attention: the network as trained, for inversion. context [1, tokens, D] */
  predict(latents: Tensor, timestep: number, context: Tensor): Promise<Tensor>;
  /** Every frame by itself: the baseline. */
  predictPerFrame(input: StepInput): Promise<EditPrediction>;
  /** Joint pass over the keyframes with extended attention (section 4.1). */
  editKeyframes(keyframes: readonly number[], input: StepInput): Promise<KeyframeTokens>;
  /** All frames of a chunk from their keyframes' tokens (section 4.2). */
  propagate(input: StepInput, tokens: KeyframeTokens, plan: PropagationPlan): Promise<EditPrediction>;
}
