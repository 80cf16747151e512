// Frames as the networks see them, and back.

import { tensor, type Tensor } from '../tensor/tensor.ts';
import { requireRgb24, type Frame, type Rgb24Frame } from './frame.ts';
import type { RgbPlanes } from './rgb-planes.ts';
import type { WorkingSize } from './working-size.ts';

/** -> [1, 3, h, w], red, green, blue, values -1..1. Throws RangeError for a frame that is no rgb24. */
export function frameToTensor(frame: Frame): Tensor {
  requireRgb24('frameToTensor', frame);
  const { width, height, rgb } = frame;
  const plane = width * height;
  const data = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    data[i] = (rgb[3 * i] ?? 0) / 127.5 - 1;
    data[plane + i] = (rgb[3 * i + 1] ?? 0) / 127.5 - 1;
    data[2 * plane + i] = (rgb[3 * i + 2] ?? 0) / 127.5 - 1;
  }
  return tensor([1, 3, height, width], data);
}

/**
 * `image` [1, 3, h, w], -1..1 -> a frame; values outside are clamped, the rest rounded to the nearest byte. Throws
 * RangeError for other dims.
 */
export function tensorToFrame(image: Tensor, index: number): Rgb24Frame {
  const [batch, channels, height = 0, width = 0] = image.dims;
  if (image.dims.length !== 4 || batch !== 1 || channels !== 3) {
    throw new RangeError(`tensorToFrame: dims must be [1, 3, height, width], got [${image.dims.join(', ')}].`);
  }
  const plane = width * height;
  // A clamped array rounds to the nearest byte, which Uint8Array does not.
  const clamped = new Uint8ClampedArray(3 * plane);
  for (let i = 0; i < plane; i++) {
    for (let channel = 0; channel < 3; channel++) {
      clamped[3 * i + channel] = ((image.data[channel * plane + i] ?? 0) + 1) * 127.5;
    }
  }
  return { index, width, height, pixelFormat: 'rgb24', rgb: new Uint8Array(clamped.buffer) };
}

/**
 * `image` [1, 3, h, w], -1..1, of the padded size -> colours of the scaled size, not rounded; values outside are clamped.
 * Throws RangeError for other dims.
 */
export function tensorToPlanes(image: Tensor, index: number, { scaled, padded, left, top }: WorkingSize): RgbPlanes {
  const wanted = [1, 3, padded.height, padded.width];
  if (image.dims.length !== 4 || image.dims.some((length, i) => length !== wanted[i])) {
    throw new RangeError(`tensorToPlanes: dims must be [${wanted.join(', ')}], got [${image.dims.join(', ')}].`);
  }
  const crop = (channel: number): Float32Array => {
    const plane = new Float32Array(scaled.width * scaled.height);
    for (let y = 0; y < scaled.height; y++) {
      const from = (channel * padded.height + y + top) * padded.width + left;
      for (let x = 0; x < scaled.width; x++) {
        plane[y * scaled.width + x] = Math.min(255, Math.max(0, ((image.data[from + x] ?? 0) + 1) * 127.5));
      }
    }
    return plane;
  };
  return { index, ...scaled, planes: [crop(0), crop(1), crop(2)] };
}
