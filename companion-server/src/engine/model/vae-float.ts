import type { Autoencoder } from '../../families/family.ts';
import type { FloatType } from '../../onnx/graph.ts';

/** What an autoencoder computes in on a device that computes in `float`. */
export function vaeFloat({ precision }: Autoencoder, float: FloatType): FloatType {
  return precision === 'single' ? 'float32' : float;
}
