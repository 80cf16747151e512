// Painted frames through the encoder, for its tests.

import { openEncoder } from '../encode/encode.ts';
import type { EncoderOptions } from '../encode/encoder-options.ts';
import type { Rgb24Frame, Rational, Size } from '../frame.ts';

export const rate = (numerator: number, denominator = 1): Rational => ({ numerator, denominator });

/** Soft stripes that move by a pixel per frame. */
export function paint(index: number, { width, height }: Size): Rgb24Frame {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const x = (i % width) - index;
    rgb[3 * i] = 128 + 100 * Math.sin(x / 7);
    rgb[3 * i + 1] = 128 + 60 * Math.sin(Math.floor(i / width) / 5);
    rgb[3 * i + 2] = 90;
  }
  return { index, width, height, pixelFormat: 'rgb24', rgb };
}

/** Writes a file of `count` painted frames; returns the encoder's notices. */
export async function encodeFrames(file: string, count: number, options: EncoderOptions): Promise<readonly string[]> {
  const encoder = await openEncoder(file, options);
  for (let i = 0; i < count; i++) await encoder.write(paint(i, options.inputSize ?? options));
  await encoder.finish();
  return encoder.notices;
}
