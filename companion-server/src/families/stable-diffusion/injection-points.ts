// Where Plug-and-Play (arXiv 2211.12572) reaches into the UNet of Stable Diffusion 1.x and 2.x.

import type { InjectionPoints } from '../../nets/denoising-network.ts';

export const injectionPoints: InjectionPoints = {
  /** Layer 4 of the decoder. */
  features: 'up_blocks.1.resnets.1',
  /** Layers 4 to 11 of the decoder. */
  attention: /^up_blocks\.(1\.attentions\.[12]|[23]\.attentions\.[012])\./,
};
