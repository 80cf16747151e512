// Gaussian blur of pictures in floating point, with the kernel and the border of OpenCV's GaussianBlur: the control
// pictures that ControlNets were trained on were made with it.

import type { Size } from '../media/frame.ts';

/**
 * `plane` [height * width] -> the same, blurred. The border mirrors the picture without repeating its last row or column.
 * @param sigma in pixels, above 0
 */
export function gaussianBlur(plane: Float32Array, { width, height }: Size, sigma: number): Float32Array {
  const kernel = kernelOf(sigma);
  const rows = blurLines(plane, kernel, { lines: height, length: width, lineStep: width, step: 1 });
  return blurLines(rows, kernel, { lines: width, length: height, lineStep: 1, step: width });
}

/** Weights of the middle and of the distances from it, of sum 1 over both sides. */
function kernelOf(sigma: number): Float64Array {
  const radius = Math.round(sigma * 8 + 1) >> 1;
  const weights = Float64Array.from({ length: radius + 1 }, (_, i) => Math.exp(-(i * i) / (2 * sigma * sigma)));
  const sum = weights.reduce((all, weight, i) => all + (i === 0 ? weight : 2 * weight), 0);
  return weights.map((weight) => weight / sum);
}

interface Lines {
  readonly lines: number;
  readonly length: number;
  readonly lineStep: number;
  readonly step: number;
}

function blurLines(plane: Float32Array, kernel: Float64Array, { lines, length, lineStep, step }: Lines): Float32Array {
  const blurred = new Float32Array(plane.length);
  const radius = kernel.length - 1;
  const mirrored = Int32Array.from({ length: length + 2 * radius }, (_, i) => mirror(i - radius, length));
  for (let line = 0; line < lines; line++) {
    const first = line * lineStep;
    for (let i = 0; i < length; i++) {
      let sum = (kernel[0] as number) * (plane[first + i * step] as number);
      for (let k = 1; k <= radius; k++) {
        const before = plane[first + (mirrored[radius + i - k] as number) * step] as number;
        const after = plane[first + (mirrored[radius + i + k] as number) * step] as number;
        sum += (kernel[k] as number) * (before + after);
      }
      blurred[first + i * step] = sum;
    }
  }
  return blurred;
}

function mirror(i: number, length: number): number {
  const period = Math.max(1, 2 * (length - 1));
  const phase = ((i % period) + period) % period;
  return phase < length ? phase : period - phase;
}
