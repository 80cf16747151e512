// What the algorithm needs of a diffusion network: passes of the UNet. The real one runs ONNX graphs
// (engine/model/unet-denoiser.ts); tests use arithmetic. All tensors are float32; latents are [N, C, h, w].

import type { Conditioning } from '../nets/conditioning.ts';
import { plainPass, type Branch, type Pass } from '../nets/pass.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Correspondences, KeyframePair } from './correspondences.ts';

/** The conditioning of the network in each branch. */
export type BranchConditioning = Readonly<Record<Branch, Conditioning>>;

/** Per branch: residuals [N, C, h, w] of the skip connections, finest first, and last of the middle block. */
export type BranchResiduals = Readonly<Partial<Record<Branch, readonly Tensor[]>>>;

/** The inputs of a pass. Inputs that it does not use may be left out. */
export interface PassInputs {
  /** [N, C, h, w] of the same N frames. */
  readonly latents: { readonly source?: Tensor; readonly edited?: Tensor };
  readonly timestep: number;
  /** Of the pass's branches. */
  readonly conditioning: Readonly<Partial<Record<Branch, Conditioning>>>;
  /** The keyframes in which frames search and from which they take tokens. */
  readonly keyframes?: KeyframeTokens;
  /** Per frame: its keyframes among those of `keyframes`. */
  readonly pairs?: readonly KeyframePair[];
  /** Per frame: the share of the right keyframe, 0..1. */
  readonly rightWeight?: readonly number[];
  /** Where correspondences are given. */
  readonly correspondences?: Correspondences;
  /** Of controlled branches: what ControlNets add. */
  readonly residuals?: BranchResiduals;
  /** Where attention to words is returned: the weights [tokens, 1] of the tokens of the source's prompt. */
  readonly words?: Tensor;
}

/** The correspondences and weights by which frames take tokens from keyframes. */
export type KeyframeInputs = Pick<PassInputs, 'keyframes' | 'pairs' | 'rightWeight' | 'correspondences'>;

/** The outputs of passes over K keyframes, as far as the passes emit them. */
export interface KeyframeTokens {
  /** The source's normalised tokens per transformer block [K, S, D], unit length. Empty where none are searched. */
  readonly source: readonly Tensor[];
  /** Outputs of the self-attention per transformer block [branches, K, S, D]. Empty where none are taken. */
  readonly attention: readonly Tensor[];
}

/** The outputs of a pass, as listed in its `emits`. */
export interface PassOutputs {
  /** [N, C, h, w] */
  readonly prediction: Readonly<Partial<Record<Branch, Tensor>>>;
  readonly tokens: KeyframeTokens;
  readonly correspondences: Correspondences | null;
  /** Per transformer block [N, S]: how much of its attention to the prompt each token gives to the words. */
  readonly words?: readonly Tensor[];
}

export interface Denoiser {
  run(pass: Pass, inputs: PassInputs): Promise<PassOutputs>;
}

/** The network as it was trained, over `latents`. */
export async function predict(
  denoiser: Denoiser,
  latents: Tensor,
  timestep: number,
  conditioning: Conditioning,
): Promise<Tensor> {
  const inputs = { latents: { source: latents }, timestep, conditioning: { source: conditioning } };
  return predictionOf(await denoiser.run(plainPass, inputs), 'source');
}

/** The prediction of a branch. Throws TypeError where the pass did not return it. */
export function predictionOf({ prediction }: PassOutputs, branch: Branch): Tensor {
  const found = prediction[branch];
  if (found === undefined) throw new TypeError(`The pass returned no prediction of ${branch}.`);
  return found;
}
