// What a family of diffusion models brings: how its checkpoints are recognised, what they are made of, and its networks.
// families/list.ts has all of them; nothing else in the program knows one by name.

import type { SchedulerConfig } from '../diffusion/scheduler-config.ts';
import type { Conditioning } from '../nets/conditioning.ts';
import type { ControlNetwork } from '../nets/controlnet.ts';
import type { DenoisingNetwork, LatentSize } from '../nets/denoising-network.ts';
import type { GraphOptions } from '../onnx/builder.ts';
import type { Graph } from '../onnx/graph.ts';
import type { IndexTensor } from '../onnx/session.ts';
import type { StoredTensors } from '../tensor/stored-tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Checkpoint, CheckpointFolder, CheckpointLayout } from '../weights/checkpoint.ts';
import type { CheckpointFile } from '../weights/checkpoint-file.ts';
import type { JsonObject } from '../weights/json-file.ts';
import type { TensorSource } from '../weights/tensor-source.ts';
import type { PromptEmbedding } from '../weights/textual-inversion.ts';
import type { TokenizerFiles } from '../weights/tokenizer-files.ts';
import type { FileShapes } from './refused-files.ts';

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
  /**
   * The network of a ControlNet for the family, by its config.json; left out where there are none. Throws
   * EditError('model-unsupported').
   */
  controlNetwork?(config: JsonObject): ControlNetwork;
  /** Its checkpoints in one file; left out where there are none. */
  readonly singleFile?: SingleFileLayout;
}

/** A checkpoint that may give a part which another one lacks. */
export interface PartDonor {
  /** As users know it; no path. */
  readonly name: string;
  /** Absolute, of its folder. */
  readonly path: string;
}

/** A checkpoint that was opened, and whose it is. */
export interface FamilyCheckpoint extends Checkpoint {
  readonly family: ModelFamily;
  /** Whether nothing says what the network predicts: `schedulerConfig` has the more usual, and a run of the network shows it. */
  readonly isPredictionUncertain: boolean;
  /** The other checkpoints that gave parts without being named by the user. */
  readonly borrowedFrom: readonly PartDonor[];
  /** What an edit's report says of how it was read, a sentence each; without paths. */
  readonly notices: readonly string[];
}

/** How a family finds its parts in one file, which has neither configs nor tokenizers. */
export interface SingleFileLayout {
  /** What the file is, for instance `Stable Diffusion 2.x`; null where it is no checkpoint of the family. */
  recognises(tensors: FileShapes, metadata: ReadonlyMap<string, string>): string | null;
  /** The parts under the names of the folder layout; small tensors may be read. Throws EditError('model-damaged'). */
  read(file: CheckpointFile): Promise<SingleFileParts>;
  /**
   * Whether another checkpoint's part can be used, by its config.
   * @param others configs of the parts that are there already, by their folders
   */
  isPartFor(folder: string, config: JsonObject, others: ReadonlyMap<string, JsonObject>): boolean;
}

export interface SingleFileParts {
  /** By the layout's folders; null for a part that the file lacks. */
  readonly parts: ReadonlyMap<string, FilePart | null>;
  /** model_index.json as a folder would have it. */
  readonly modelIndex: JsonObject;
  /** scheduler_config.json as a folder would have it. */
  readonly schedulerConfig: JsonObject;
  /** By the layout's folders. */
  readonly tokenizers: ReadonlyMap<string, TokenizerFiles>;
  readonly prediction: PredictionEvidence;
  /** The scaling factor of the latents that the UNet knows. */
  readonly latentScale: number;
}

export interface FilePart {
  /** config.json as a folder would have it. */
  readonly config: JsonObject;
  readonly weights: StoredTensors;
}

/** How sure it is what the network predicts. `usual`: nothing speaks against the family's usual. `uncertain`: run it to see. */
export type PredictionEvidence = 'said' | 'usual' | 'uncertain';

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
   * Places of the tokens of `words` among those of the prompt's conditioning; none where the prompt does not have them, or has
   * them behind its end that is not read.
   */
  placesOf(prompt: string, words: string): readonly number[];
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
  /** Scale of classifier-free guidance away from the negative prompt. */
  readonly guidance: number;
  /** What guidance leads away from; the negative prompt when left out. */
  readonly guideBy?: 'negative' | 'source' | 'both';
  /** The scale away from the source prompt, or from halfway to it; `usualSourceGuidance` when left out. */
  readonly sourceGuidance?: number;
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
