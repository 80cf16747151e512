// What a family of diffusion models brings: how its checkpoints are recognised, what they are made of, and its networks.
// families/list.ts has all of them; nothing else in the program knows one by name.

import type { SchedulerConfig } from '../diffusion/scheduler-config.ts';
import type { Conditioning } from '../nets/conditioning.ts';
import type { DenoisingNetwork, LatentSize } from '../nets/denoising-network.ts';
import type { GraphOptions } from '../onnx/builder.ts';
import type { Graph } from '../onnx/graph.ts';
import type { IndexTensor } from '../onnx/session.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Checkpoint, CheckpointFolder, CheckpointLayout } from '../weights/checkpoint.ts';
import type { TensorSource } from '../weights/tensor-source.ts';
import type { PromptEmbedding } from '../weights/textual-inversion.ts';

export interface ModelFamily {
  /** For the sentence of what to use instead of an unsupported checkpoint: "a text-to-image checkpoint of ...". */
  readonly title: string;
  /** Where the parts of its checkpoints are in the diffusers folder layout. */
  readonly layout: CheckpointLayout;
  /**
   * Whether the checkpoint is one of this family, by its configs or by keys and shapes of its weights. If it is, faults in
   * it are found by `layout` and `outline`.
   */
  recognises(checkpoint: CheckpointFolder): boolean | Promise<boolean>;
  /** Reads the configs. Throws EditError: 'model-unsupported', 'model-damaged'. */
  outline(checkpoint: Checkpoint): ModelOutline;
}

/** What a checkpoint is like, known without the values of its weights. */
export interface ModelOutline {
  readonly unet: DenoisingNetwork;
  readonly vae: Autoencoder;
  readonly weights: {
    readonly unet: TensorSource;
    readonly vae: TensorSource;
    /** Of the text encoders, which are loaded one after the other. */
    readonly text: readonly TensorSource[];
  };
  readonly scheduler: SchedulerConfig;
  /** Width and height of a working frame must be multiples of this many pixels. */
  readonly sizeMultiple: number;
  /** Side in pixels of the square that the network was trained on. */
  readonly trainingSide: number;
  /** Most tokens of a prompt's conditioning; estimates reckon with them. */
  readonly promptTokens: number;
  readonly defaults: EditDefaults;
  /**
   * Makes the tokenizers. Throws EditError: 'model-damaged' for files that make none, 'adapter-unsupported' for embeddings of
   * another model.
   * @param embeddings words of prompts with vectors of their own; none when left out
   */
  readonly createConditioner: (embeddings?: readonly PromptEmbedding[]) => Conditioner;
}

export interface Conditioner {
  /** The end of a prompt that the model does not read, because it is too long; null when everything fits. */
  overflowOf(prompt: string): string | null;
  /**
   * The conditioning of each prompt, in their order. Throws EditError('model-damaged') when tokenizers and text encoders
   * do not fit.
   * @param size of the working frames
   * @param run loads a network, runs it once and lets it go
   */
  conditioning(prompts: readonly string[], size: PictureSize, run: RunText): Promise<readonly Conditioning[]>;
}

/** What suits a model where the user chose nothing. */
export interface EditDefaults {
  /** Scale of classifier-free guidance. */
  readonly guidance: number;
  /** Sampling steps. */
  readonly steps: number;
  /**
   * What makes it a model of few steps (few-step.ts), a checkpoint that is distilled or a LoRA on another one; left out for
   * others. Such a network cannot be inverted.
   */
  readonly fewSteps?: 'checkpoint' | 'lora';
}

/** In pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** How the latents that the network works on come from those of the autoencoder. */
export interface LatentFormat {
  readonly channels: number;
  /** Pixels per latent along each axis. */
  readonly downscale: number;
  /** The network's latents are (autoencoder's - shift) * scale. */
  readonly scale: number;
  readonly shift: number;
}

export interface Autoencoder {
  readonly latents: LatentFormat;
  /** `single` where half precision is too narrow for it, else that of the device. */
  readonly precision: 'single' | 'device';
  /** Input `image` float32 [frames, 3, H, W] in -1..1, output `mean` float32 [frames, C, h, w]. */
  buildEncoder(size: LatentSize, options: GraphOptions): Graph;
  /** Input `latents` float32 [frames, C, h, w], output `image` float32 [frames, 3, H, W], about -1..1. */
  buildDecoder(size: LatentSize, options: GraphOptions): Graph;
}

/** A text encoder with what it is fed. */
export interface TextNetwork {
  /** For messages. */
  readonly name: string;
  readonly weights: TensorSource;
  readonly build: (options: GraphOptions) => Graph;
  readonly feeds: Readonly<Record<string, Tensor | IndexTensor>>;
}

export type RunText = (network: TextNetwork) => Promise<Readonly<Record<string, Tensor>>>;
