// One edit as the engine process receives it it: plain data that survives structured cloning.

import type { DeviceChoice } from '../../../protocol/devices.ts';
import type { EditSettings } from '../../../protocol/edit-settings.ts';

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
