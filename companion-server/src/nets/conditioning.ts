// The inputs of the UNet besides latents and timestep: what the picture should show.

import type { Tensor } from '../tensor/tensor.ts';

/** A prompt as a family encodes it. Each network uses the parts that it was trained with. */
export interface Conditioning {
  /** Embeddings of the prompt's tokens [1, tokens, D]. */
  readonly tokens: Tensor;
  /** One embedding of the whole prompt [1, P]; left out where the family has none. */
  readonly pooled?: Tensor;
  /** Numbers about the picture, such as its size [1, I]; left out where the family has none. */
  readonly timeIds?: Tensor;
}
