// Hue of an object in a picture, the measure behind every colour gate; as models/demo/train/colour_measure.py.

import type { Rgb24Frame } from '../../companion-server/src/media/frame.ts';

/**
 * Hue in degrees, 0..360, of the chroma-weighted mean colour inside `mask` ([height * width], 0..1). Weighting by
 * chroma leaves out highlights, windows and tyres.
 */
export function objectHue({ rgb }: Rgb24Frame, mask: ArrayLike<number>): number {
  let [red, green, blue] = [0, 0, 0];
  for (let i = 0; i < mask.length; i++) {
    const r = (rgb[3 * i] ?? 0) / 255;
    const g = (rgb[3 * i + 1] ?? 0) / 255;
    const b = (rgb[3 * i + 2] ?? 0) / 255;
    const chroma = Math.max(r, g, b) - Math.min(r, g, b);
    const weight = (mask[i] ?? 0) * chroma * chroma + 1e-6;
    red += weight * r;
    green += weight * g;
    blue += weight * b;
  }
  const along = red - 0.5 * (green + blue);
  const across = Math.sqrt(0.75) * (green - blue);
  return ((Math.atan2(across, along) * 180) / Math.PI + 360) % 360;
}

/** The smaller angle between two hues in degrees, 0..180. */
export function hueError(a: number, b: number): number {
  return Math.abs(((((a - b + 180) % 360) + 360) % 360) - 180);
}
