// Structural similarity: Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to
// structural similarity", IEEE TIP 13(4), 2004. Gaussian window 11 x 11 with sigma 1.5, K1 0.01, K2 0.03, over luma,
// windows that lie wholly inside the picture.

import type { Rgb24Frame, Size } from '../media/frame.ts';
import { lumaOf, requireSameSize } from './luma.ts';

const windowSize = 11;
const sigma = 1.5;
const c1 = (0.01 * 255) ** 2;
const c2 = (0.03 * 255) ** 2;

const weights = gaussianWindow();

/** Mean SSIM, -1..1; 1 for equal frames. Throws RangeError when sizes differ or a side is under 11 pixels. */
export function ssim(a: Rgb24Frame, b: Rgb24Frame): number {
  requireSameSize('ssim', a, b);
  return ssimOfPlanes(lumaOf(a), lumaOf(b), a);
}

/**
 * Mean SSIM of two planes [height * width] whose values span 0..255. Throws RangeError when a side is under 11
 * pixels.
 */
export function ssimOfPlanes(x: Float32Array, y: Float32Array, size: Size): number {
  if (Math.min(size.width, size.height) < windowSize) {
    throw new RangeError(
      `ssim: frames must be at least ${windowSize} x ${windowSize}, got ${size.width} x ${size.height}.`,
    );
  }
  const meanX = blur(x, size);
  const meanY = blur(y, size);
  const meanXX = blur(product(x, x), size);
  const meanYY = blur(product(y, y), size);
  const meanXY = blur(product(x, y), size);
  let sum = 0;
  for (let i = 0; i < meanX.length; i++) {
    const [mx, my] = [meanX[i] ?? 0, meanY[i] ?? 0];
    const varianceX = (meanXX[i] ?? 0) - mx * mx;
    const varianceY = (meanYY[i] ?? 0) - my * my;
    const covariance = (meanXY[i] ?? 0) - mx * my;
    sum += ((2 * mx * my + c1) * (2 * covariance + c2)) / ((mx * mx + my * my + c1) * (varianceX + varianceY + c2));
  }
  return sum / meanX.length;
}

function gaussianWindow(): Float64Array {
  const raw = Float64Array.from({ length: windowSize }, (_, i) =>
    Math.exp(-((i - (windowSize - 1) / 2) ** 2) / (2 * sigma ** 2)),
  );
  const sum = raw.reduce((total, weight) => total + weight, 0);
  return raw.map((weight) => weight / sum);
}

function product(a: Float32Array, b: Float32Array): Float64Array {
  return Float64Array.from(a, (value, i) => value * (b[i] ?? 0));
}

/** [height, width] -> [height - 10, width - 10]: rows first, then columns. */
function blur(plane: ArrayLike<number>, { width, height }: Size): Float64Array {
  const outWidth = width - windowSize + 1;
  const outHeight = height - windowSize + 1;
  const rows = new Float64Array(outWidth * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < outWidth; x++) {
      let sum = 0;
      for (let k = 0; k < windowSize; k++) {
        sum += (weights[k] ?? 0) * (plane[y * width + x + k] ?? 0);
      }
      rows[y * outWidth + x] = sum;
    }
  }
  const out = new Float64Array(outWidth * outHeight);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let k = 0; k < windowSize; k++) sum += (weights[k] ?? 0) * (rows[i + k * outWidth] ?? 0);
    out[i] = sum;
  }
  return out;
}
