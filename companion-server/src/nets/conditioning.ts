// What the UNet is told beside the latents and the time: what a picture shall show.

import type { Tensor } from '../tensor/tensor.ts';

/** What a family makes of a prompt. Each network takes of it what it was trained with. */
export interface Conditioning {
  /** Embeddings of the prompt's tokens [1, tokens, D]. */
  readonly tokens: Tensor;
  /** One embedding of the whole prompt [1, P]; left out where the family has none. */
  readonly pooled?: Tensor;
  /** Numbers about the picture, such as its size [1, I]; left out where the family has none. */
  readonly timeIds?: Tensor;
}
