// Colours that are computed with: not rounded, a plane for each.

import type { Frame, Rgb24Frame, Size } from './frame.ts';
import { gbrFormat, type PlanarFrame } from './planes.ts';

/** A picture of a clip; `index` counts from the clip's first frame. */
export interface RgbPlanes extends Size {
  readonly index: number;
  /** Red, green and blue, [height * width] each, gamma-coded, 0..255. */
  readonly planes: readonly [Float32Array, Float32Array, Float32Array];
}

export function planesOfFrame({ index, width, height, rgb }: Rgb24Frame): RgbPlanes {
  const channel = (c: number) => Float32Array.from({ length: width * height }, (_, i) => rgb[3 * i + c] ?? 0);
  return { index, width, height, planes: [channel(0), channel(1), channel(2)] };
}

/** Rounded to 16 bits a sample. */
export function toRgb48({ index, width, height, planes }: RgbPlanes): Frame<'rgb48le'> {
  const rgb = new Uint16Array(3 * width * height);
  for (const [c, plane] of planes.entries()) {
    for (let i = 0; i < plane.length; i++) rgb[3 * i + c] = Math.round((plane[i] ?? 0) * 257);
  }
  return { index, width, height, pixelFormat: 'rgb48le', rgb };
}

/** Rounded to 8 bits a sample. */
export function toRgb24({ index, width, height, planes }: RgbPlanes): Rgb24Frame {
  const rgb = new Uint8Array(3 * width * height);
  for (const [c, plane] of planes.entries()) {
    for (let i = 0; i < plane.length; i++) rgb[3 * i + c] = Math.round(plane[i] ?? 0);
  }
  return { index, width, height, pixelFormat: 'rgb24', rgb };
}

/** As a clip of RGB stores it. */
export function toGbr({ index, width, height, rgb }: Rgb24Frame): PlanarFrame {
  const channel = (c: number) => Uint8Array.from({ length: width * height }, (_, i) => rgb[3 * i + c] ?? 0);
  return { index, width, height, format: gbrFormat(8), planes: [channel(1), channel(2), channel(0)] };
}

/** Undoes `toGbr`. */
export function fromGbr({ index, width, height, planes }: PlanarFrame): Rgb24Frame {
  const rgb = new Uint8Array(3 * width * height);
  for (const [k, c] of [1, 2, 0].entries()) planes[k]?.forEach((value, i) => (rgb[3 * i + c] = value));
  return { index, width, height, pixelFormat: 'rgb24', rgb };
}
