// One edit as the engine process receives it, and the pictures that it sends: plain data that survives structured cloning.

import type { DeviceChoice } from '../../../../protocol/devices.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import type { Approximations } from '../plan/approximations.ts';
import type { InversionMethod } from '../../tokenflow/inversion.ts';
import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import type { CheckpointReading } from '../../families/open-checkpoint.ts';
import type { ControlNetFile } from '../../families/open-controlnet.ts';
import type { VaeFile } from '../../families/replace-vae.ts';
import type { LoraFile } from '../../weights/lora/lora-file.ts';
import type { EmbeddingFile } from '../../weights/textual-inversion.ts';

/** What a ControlNet of the settings needs of the disk. */
export interface ControlFiles extends ControlNetFile {
  /** Absolute path of the video with its pictures; null where they are made of the clip. */
  readonly videoPath: string | null;
}

export interface EditJob {
  /** Absolute path of the clip. Read only. */
  readonly inputPath: string;
  /** The result of a probe of the clip, if the caller has it. */
  readonly clip?: ClipInfo | null;
  /** Absolute path of the result; its folder exists. Written whole or not at all. */
  readonly outputPath: string;
  /** A checkpoint: a folder in diffusers layout, or one file. */
  readonly modelDir: string;
  /** How the checkpoint is read; as it says itself when left out. */
  readonly reading?: CheckpointReading;
  /** Absolute paths of the LoRA that the settings name, in their order; none when left out. */
  readonly loras?: readonly LoraFile[];
  /** Words of the prompts that have vectors of their own; none when left out. */
  readonly embeddings?: readonly EmbeddingFile[];
  /** The VAE that the settings name, in place of the checkpoint's own; null or left out for that. */
  readonly vae?: VaeFile | null;
  /** Absolute path of a tiny decoder for pictures of the edit while it runs; null or left out for none. */
  readonly previewDecoder?: string | null;
  /** The ControlNets that the settings name, in their order; none when left out. */
  readonly controls?: readonly ControlFiles[];
  /** Absolute path of the matte that the mask of the settings names; null or left out where it names none. */
  readonly mattePath?: string | null;
  /** Absolute path of the lookup table that the settings name, a clip of one frame; null or left out where they name none. */
  readonly lookupTablePath?: string | null;
  /** Absolute paths of the keyframes that the settings give, each a clip of one frame; none when left out. */
  readonly keyframePaths?: readonly { readonly frame: number; readonly path: string }[];
  readonly device: DeviceChoice;
  /** Where float32 copies of weights are kept between runs. Made when missing. */
  readonly cacheDir: string;
  /** The folder of this edit's latents while it runs. Made when missing; the caller removes it at the end. */
  readonly workDir: string;
  readonly settings: EditSettings;
  /** Approximations of the fast pipeline, to measure the effect of each; the usual ones when left out. */
  readonly approximations?: Approximations;
  /** How the clip is inverted, to measure the effect of each way; the pipeline's own when left out. */
  readonly inversion?: InversionMethod['name'];
  /** SHA-256 of the clip in lower-case hexadecimal digits, if the caller knows it. */
  readonly clipSha256?: string | null;
  /**
   * Where inversions are kept for further edits of the same clip. Made when missing. Nothing is kept when this or
   * `clipSha256` is null or left out.
   */
  readonly inversionsDir?: string | null;
  /** Most bytes that the kept inversions may take together. 0 for none. Default: `defaultInversionsBudget`. */
  readonly inversionsBudgetBytes?: number | null;
}

/** What a frame of an edit looks like so far. */
export interface GrowingPicture {
  readonly jpeg: Uint8Array;
  /** Of the edit, from 0. */
  readonly frameIndex: number;
}
