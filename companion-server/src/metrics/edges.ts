// Where a picture has edges, and how alike the edges of two pictures are: an edit may change every colour and still
// keep the structure. Gradient after Sobel and Feldman (1968), compared by SSIM.

import type { Rgb24Frame, Size } from '../media/frame.ts';
import { lumaOf, requireSameSize } from './luma.ts';
import { ssimOfPlanes } from './ssim.ts';

/** Sobel's weights add up to 4 on each side. */
const weightSum = 4;

/**
 * Magnitude of the gradient of luma at every pixel, [height * width], the border repeated outside. A straight step
 * from black to white is 255 high along the axes.
 */
export function edgesOf(frame: Rgb24Frame): Float32Array {
  const { width, height } = frame;
  const luma = lumaOf(frame);
  const at = (x: number, y: number): number => luma[clamp(y, height) * width + clamp(x, width)] ?? 0;
  return luma.map((_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    const column = (dx: number) => at(x + dx, y - 1) + 2 * at(x + dx, y) + at(x + dx, y + 1);
    const row = (dy: number) => at(x - 1, y + dy) + 2 * at(x, y + dy) + at(x + 1, y + dy);
    return Math.hypot(column(1) - column(-1), row(1) - row(-1)) / weightSum;
  });
}

/**
 * Mean SSIM of the edges of two pictures, -1..1; 1 where they are the same. Throws RangeError when sizes differ or a
 * side is under 11 pixels.
 */
export function edgeSsim(a: Rgb24Frame, b: Rgb24Frame): number {
  requireSameSize('edgeSsim', a, b);
  const size: Size = { width: a.width, height: a.height };
  return ssimOfPlanes(edgesOf(a), edgesOf(b), size);
}

function clamp(value: number, length: number): number {
  return Math.min(Math.max(value, 0), length - 1);
}
