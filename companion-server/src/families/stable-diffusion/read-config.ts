import { ConfigReader } from '../config-reader.ts';

/** A parsed config.json of this family. @param source what it is called in messages, for instance `unet/config.json` */
export function readConfig(json: Readonly<Record<string, unknown>>, source: string): ConfigReader {
  return new ConfigReader(json, source, 'Use a Stable Diffusion 1.x or 2.x checkpoint in diffusers layout.');
}
