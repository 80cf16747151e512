// Where Plug-and-Play (arXiv 2211.12572) reaches into the UNet of Stable Diffusion XL. The paper names layers of Stable
// Diffusion 1.x; these are the ones in the same place here. There, features are those of the second residual block of the
// level with 32 pixels to a token, the first on the way up with transformers, and attention is that of all transformers
// behind it. Here that level is the deepest. docs/models.md says what was measured.

import type { InjectionPoints } from '../../nets/denoising-network.ts';

export const injectionPoints: InjectionPoints = {
  features: 'up_blocks.0.resnets.1',
  attention: /^up_blocks\.(0\.attentions\.[12]|1\.attentions\.[012])\./,
};
