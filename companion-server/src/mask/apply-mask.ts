// A mask at work: on the samples of a picture, and on latents.

import type { Size } from '../media/frame.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Coverage } from './coverage.ts';

/**
 * The samples of a picture in which `coverage` says how much of the edit is taken: with 0 the source's own to the bit, with
 * 1 the edit's. A new array; both given ones have `perPixel` samples for each of the mask's pixels, side by side. Throws
 * RangeError when they have not.
 */
export function maskSamples<Samples extends Uint8Array | Uint16Array>(
  source: Samples,
  edited: Samples,
  { values }: Coverage,
  perPixel: number,
): Samples {
  if (source.length !== perPixel * values.length || edited.length !== source.length) {
    throw new RangeError(
      `maskSamples: ${values.length} pixels have ${perPixel * values.length} samples, got ${source.length} and ${edited.length}.`,
    );
  }
  const out = source.slice() as Samples;
  for (const [i, weight] of values.entries()) {
    if (weight === 0) continue;
    for (let at = perPixel * i; at < perPixel * (i + 1); at++) {
      const [own, changed] = [source[at] ?? 0, edited[at] ?? 0];
      out[at] = weight === 1 ? changed : Math.floor(own + weight * (changed - own) + 0.5);
    }
  }
  return out;
}

/**
 * latents [N, C, h, w] of the edit and of the source, weights [N, 1, h, w] -> [N, C, h, w]: where a weight is 0 the
 * source's to the bit, where it is 1 the edit's. Blended Latent Diffusion (arXiv 2206.02779, section 4.1).
 */
export function maskLatents(edited: Tensor, source: Tensor, weights: Tensor): Tensor {
  const [frames = 0, channels = 0, height = 0, width = 0] = edited.dims;
  const plane = height * width;
  const data = edited.data.slice();
  for (let n = 0; n < frames; n++) {
    for (let i = 0; i < plane; i++) {
      const weight = weights.data[n * plane + i] ?? 0;
      if (weight === 1) continue;
      for (let c = 0; c < channels; c++) {
        const at = (n * channels + c) * plane + i;
        const own = source.data[at] ?? 0;
        data[at] = weight === 0 ? own : own + weight * ((data[at] ?? 0) - own);
      }
    }
  }
  return { dims: edited.dims, data };
}

/** Where the picture lies in the padded one that the network sees, in pixels. */
export interface Placement {
  readonly scaled: Size;
  readonly padded: Size;
  readonly left: number;
  readonly top: number;
}

/**
 * The mask of the scaled picture -> weights [h * w] of its latents: each the largest of its pixels, so that every pixel that
 * takes anything of the edit has it. The border around the picture goes with the picture's edge.
 */
export function latentWeights(
  coverage: Coverage,
  { scaled, padded, left, top }: Placement,
  latent: Size,
): Float32Array {
  const weights = new Float32Array(latent.width * latent.height);
  const [cellWidth, cellHeight] = [padded.width / latent.width, padded.height / latent.height];
  for (let y = 0; y < padded.height; y++) {
    const row = clamp(y - top, scaled.height - 1) * scaled.width;
    for (let x = 0; x < padded.width; x++) {
      const at = Math.floor(y / cellHeight) * latent.width + Math.floor(x / cellWidth);
      const value = coverage.values[row + clamp(x - left, scaled.width - 1)] ?? 0;
      if (value > (weights[at] ?? 0)) weights[at] = value;
    }
  }
  return weights;
}

function clamp(value: number, most: number): number {
  return Math.min(most, Math.max(0, value));
}
