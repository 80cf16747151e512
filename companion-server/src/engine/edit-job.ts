// One edit as the engine process receives it and reports it: plain data that survives structured cloning.

import type { EditSettings } from '../../../protocol/edit-settings.ts';

/** `auto` probes the devices in order of speed and takes the first whose numbers equal the CPU's. */
export const deviceChoices = ['auto', 'cuda', 'dml', 'coreml', 'webgpu', 'cpu'] as const;
export type DeviceChoice = (typeof deviceChoices)[number];
export type Device = Exclude<DeviceChoice, 'auto'>;

export interface EditJob {
  /** Absolute path of the clip. Read only. */
  readonly inputPath: string;
  /** Absolute path of the result; its folder exists. Written whole or not at all. */
  readonly outputPath: string;
  /** A checkpoint folder in diffusers layout. */
  readonly modelDir: string;
  readonly device: DeviceChoice;
  /** Where float32 copies of weights are kept between runs. Made when missing. */
  readonly cacheDir: string;
  /** Where this edit's latents lie while it runs. Made when missing, removed at the end by the caller. */
  readonly workDir: string;
  readonly settings: EditSettings;
}

/** What an edit did. Times in seconds, sizes in pixels. */
export interface EditReport {
  readonly device: Device;
  readonly frames: number;
  readonly frameRate: { readonly numerator: number; readonly denominator: number };
  readonly outputSize: { readonly width: number; readonly height: number };
  readonly workingSize: { readonly width: number; readonly height: number };
  /** UNet forwards of one latent, counted. */
  readonly unetEvaluations: { readonly inversion: number; readonly sampling: number };
  readonly stageSeconds: Readonly<Record<string, number>>;
  /** Highest resident memory of the engine process. */
  readonly peakMemoryBytes: number;
  /** Sentences for the user: variable rate made constant, size padded, ... */
  readonly notices: readonly string[];
}
