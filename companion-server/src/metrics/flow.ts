// Where each pixel of one frame is found in the next one.

import type { Size } from '../media/frame.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Motion from frame t to frame t+1. */
export interface Flow extends Size {
  /** [2, height, width] in pixels: x, then y. The point (x, y) of frame t is at (x + dx, y + dy) in frame t+1. */
  readonly vectors: Tensor;
  /** [height * width]: 1 where the point can be seen in both frames and its vector is known, else 0. */
  readonly known: Uint8Array;
}

/** The flow of a picture that does not move. */
export function zeroFlow({ width, height }: Size): Flow {
  const vectors = { dims: [2, height, width], data: new Float32Array(2 * width * height) };
  return { width, height, vectors, known: new Uint8Array(width * height).fill(1) };
}

/**
 * Samples one plane of `plane` (height x width values, `stride` apart, starting at `offset`) between pixels,
 * bilinearly; the border is repeated outside.
 */
export function sampleBilinear(
  plane: ArrayLike<number>,
  { width, height }: Size,
  x: number,
  y: number,
  stride = 1,
  offset = 0,
): number {
  const cx = Math.min(Math.max(x, 0), width - 1);
  const cy = Math.min(Math.max(y, 0), height - 1);
  const x0 = Math.floor(cx);
  const y0 = Math.floor(cy);
  const x1 = Math.min(x0 + 1, width - 1);
  const y1 = Math.min(y0 + 1, height - 1);
  const fx = cx - x0;
  const fy = cy - y0;
  const upper = y0 * width;
  const lower = y1 * width;
  const topLeft = plane[(upper + x0) * stride + offset] ?? 0;
  const topRight = plane[(upper + x1) * stride + offset] ?? 0;
  const bottomLeft = plane[(lower + x0) * stride + offset] ?? 0;
  const bottomRight = plane[(lower + x1) * stride + offset] ?? 0;
  const top = topLeft * (1 - fx) + topRight * fx;
  const bottom = bottomLeft * (1 - fx) + bottomRight * fx;
  return top * (1 - fy) + bottom * fy;
}
