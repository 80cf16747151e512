// A mask at work: on the samples of a picture, and on latents.

import type { Size } from '../media/frame.ts';
import { planeSizes, type PlanarFrame, type Plane, type PlaneFormat } from '../media/planes.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Coverage } from './coverage.ts';

/**
 * `source` in which `coverage` says how much of `edited` is taken: with 0 every sample is the source's own to the bit, with 1
 * the edit's. A new frame; both given ones have the size of the mask and one format. A chroma sample that several pixels
 * share is the source's as soon as one of them is. Throws RangeError for frames of other sizes or formats.
 */
export function maskPlanes(source: PlanarFrame, edited: PlanarFrame, coverage: Coverage): PlanarFrame {
  const { format, width, height } = source;
  const isFitting = edited.format.name === format.name && edited.width === width && edited.height === height;
  if (!isFitting || coverage.width !== width || coverage.height !== height) {
    throw new RangeError(
      `maskPlanes: ${format.name} of ${width} x ${height} does not fit ${edited.format.name} of ${edited.width} x ${edited.height} and a mask of ${coverage.width} x ${coverage.height}.`,
    );
  }
  const chroma = chromaCoverage(coverage, format.chromaShift, planeSizes(format, source)[1] ?? source);
  const planes = source.planes.map((plane, k) => {
    const weights = k === 1 || k === 2 ? chroma : coverage.values;
    return maskPlane(plane, edited.planes[k] ?? plane, weights);
  });
  return { ...source, planes };
}

/**
 * `edited` with the mask as its alpha, for a layer above the source; an alpha of its own counts as well. `format` is that of
 * the result and has alpha. Throws RangeError for a mask of another size.
 */
export function maskAsAlpha(edited: PlanarFrame, coverage: Coverage, format: PlaneFormat): PlanarFrame {
  const { width, height, planes } = edited;
  if (coverage.width !== width || coverage.height !== height) {
    throw new RangeError(
      `maskAsAlpha: a mask of ${coverage.width} x ${coverage.height} does not fit ${width} x ${height}.`,
    );
  }
  const most = 2 ** format.bits - 1;
  const own = edited.format.hasAlpha ? planes[3] : undefined;
  const codes = coverage.values.map((value, i) => Math.floor(value * (own?.[i] ?? most) + 0.5));
  const alpha = format.bits > 8 ? Uint16Array.from(codes) : Uint8Array.from(codes);
  return { ...edited, format, planes: [...planes.slice(0, 3), alpha] };
}

function maskPlane(source: Plane, edited: Plane, weights: Float32Array): Plane {
  const out = source.slice();
  for (let i = 0; i < out.length; i++) {
    const weight = weights[i] ?? 0;
    if (weight === 0) continue;
    const [own, changed] = [source[i] ?? 0, edited[i] ?? 0];
    out[i] = weight === 1 ? changed : Math.floor(own + weight * (changed - own) + 0.5);
  }
  return out;
}

/** The mean of the pixels that share a sample; 0 where one of them is 0. */
function chromaCoverage(
  { width, height, values }: Coverage,
  shift: { readonly x: number; readonly y: number },
  size: Size,
): Float32Array {
  if (shift.x === 0 && shift.y === 0) return values;
  const [columns, rows] = [2 ** shift.x, 2 ** shift.y];
  const out = new Float32Array(size.width * size.height);
  for (let i = 0; i < out.length; i++) {
    const [left, top] = [(i % size.width) * columns, Math.floor(i / size.width) * rows];
    let [sum, count, least] = [0, 0, 1];
    for (let y = top; y < Math.min(height, top + rows); y++) {
      for (let x = left; x < Math.min(width, left + columns); x++) {
        const value = values[y * width + x] ?? 0;
        sum += value;
        count++;
        least = Math.min(least, value);
      }
    }
    out[i] = least === 0 ? 0 : sum / count;
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
