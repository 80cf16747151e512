// What a finished edit says about itself.

import { controlChoices } from './control.ts';
import { devices } from './devices.ts';
import { guidanceBases } from './edit-settings.ts';
import {
  count,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  optional,
  recordOf,
  flag,
  withDefault,
  type Infer,
} from './fields.ts';
import { loraChoices } from './lora.ts';
import { vaeName } from './vae-name.ts';
import { notices, pixelSize, rational } from './media-facts.ts';

/** Most frames of a preview. */
export const maxPreviewFrames = 1_000;
const amount = number(0, Number.MAX_SAFE_INTEGER);
const positive = integer(1, Number.MAX_SAFE_INTEGER);

/** Times in seconds, sizes in pixels. */
export const editReport = object({
  device: oneOf(devices),
  frames: count,
  frameRate: rational,
  outputSize: pixelSize,
  workingSize: pixelSize,
  /** The values of the settings that were left to the model. */
  chosen: object({
    /** `negative` in reports of versions that had no choice. */
    guideBy: withDefault(oneOf(guidanceBases), 'negative'),
    guidance: amount,
    steps: positive,
    inversionSteps: positive,
  }),
  /** UNet forwards of one latent, counted. */
  unetEvaluations: object({ inversion: amount, sampling: amount }),
  /**
   * How well the inverted clip was reconstructed, in decibels, measured on a few frames before the edit; null when nothing
   * was measured.
   */
  reconstructionPsnr: nullable(amount),
  /** Of a preview: the frame that each of its frames shows, counted from the in point. Otherwise null. */
  frameIndices: nullable(list(count, maxPreviewFrames, 'whole numbers from 0 on')),
  stageSeconds: recordOf(number(0, Number.MAX_VALUE), 100, 'numbers'),
  /**
   * Peak of the engine's private memory during the edit. Outside Linux its highest resident size, which includes mapped
   * files.
   */
  peakMemoryBytes: amount,
  /** Peak of the mapped files (the weights), each page counted once; left out if the system does not report it. */
  peakMappedBytes: optional(amount),
  /** The LoRA that were merged into the model; left out if there were none. */
  loras: optional(loraChoices),
  /** The VAE that took the place of the model's own; left out if none did. */
  vae: optional(vaeName),
  /** The ControlNets that guided the edit; left out if none did. */
  controls: optional(controlChoices),
  /** The share of the picture that the mask lets the edit change, mean of all frames, 0..1; left out without a mask. */
  maskedShare: optional(number(0, 1)),
  /** What a host can find again in the result; left out in reports of versions that did not tell, and of previews. */
  written: optional(
    object({
      /** The timecode of the first frame, as the number of frames from 00:00:00:00 on; null without one. */
      timecodeFrames: nullable(count),
      hasAlpha: flag,
    }),
  ),
  /** Variable rate made constant, size padded, ... */
  notices,
});
export type EditReport = Infer<typeof editReport>;
