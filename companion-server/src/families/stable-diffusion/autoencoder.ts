// The VAE of Stable Diffusion 1.x and 2.x.

import { buildVaeDecoder, buildVaeEncoder, type VaeConfig } from '../../nets/vae.ts';
import type { Autoencoder } from '../family.ts';

export function autoencoder(config: VaeConfig): Autoencoder {
  const { latentChannels, downscale, scalingFactor } = config;
  return {
    latents: { channels: latentChannels, downscale, scale: scalingFactor, shift: 0 },
    // It leaves the range of half precision.
    precision: 'single',
    buildEncoder: (size, options) => buildVaeEncoder(config, size, options),
    buildDecoder: (size, options) => buildVaeDecoder(config, size, options),
  };
}
