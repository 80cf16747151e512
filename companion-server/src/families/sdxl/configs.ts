// What the config.json of each part says about its network, checked. Each function throws EditError('model-unsupported')
// naming the field that does not fit.

import type { ClipTextConfig } from '../../nets/clip-text-encoder.ts';
import type { VaeConfig } from '../../nets/vae.ts';
import { ConfigReader } from '../config-reader.ts';
import { parseClipTextFields } from '../stable-diffusion/clip-text-config.ts';
import { parseVaeFields } from '../stable-diffusion/vae-config.ts';
import { title } from './parts.ts';

type Json = Readonly<Record<string, unknown>>;

/** A parsed config.json of this family. @param source what it is called in messages, for instance `unet/config.json` */
export function readConfig(json: Json, source: string): ConfigReader {
  return new ConfigReader(json, source, `Use a ${title} checkpoint in diffusers layout.`);
}

/** @param part the folder of the encoder */
export function parseTextConfig(json: Json, part: string): ClipTextConfig {
  return parseClipTextFields(readConfig(json, `${part}/config.json`));
}

/** Width of the projected embedding of a prompt. */
export function parseProjection(json: Json, part: string): number {
  return readConfig(json, `${part}/config.json`).integer('projection_dim');
}

export interface SdxlVaeConfig extends VaeConfig {
  /** Whether its values leave the range of half precision. Those of the "fp16-fix" VAE do not. */
  readonly needsSinglePrecision: boolean;
}

export function parseVaeConfig(json: Json): SdxlVaeConfig {
  const config = readConfig(json, 'vae/config.json');
  // Playground 2.5 scales each channel by itself.
  config.expect('latents_mean', [null]);
  config.expect('latents_std', [null]);
  return {
    ...parseVaeFields(config),
    scalingFactor: config.positive('scaling_factor', 0.13025),
    needsSinglePrecision: config.boolean('force_upcast', true),
  };
}
