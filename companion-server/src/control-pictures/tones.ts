// Control pictures of tones: the picture without its detail, and its brightness.

import type { Rgb24Frame } from '../media/frame.ts';

/** Side in pixels of the squares of which only the mean is left. */
const tileSide = 8;

/** [height * width * 3]: means of squares of 8 pixels, enlarged bilinearly. The detail is the ControlNet's to make. */
export function tile({ width, height, rgb }: Rgb24Frame): Uint8Array {
  const small = { width: Math.ceil(width / tileSide), height: Math.ceil(height / tileSide) };
  const sums = new Float64Array(small.width * small.height * 3);
  const counts = new Float64Array(small.width * small.height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const square = Math.floor(y / tileSide) * small.width + Math.floor(x / tileSide);
      counts[square] = (counts[square] as number) + 1;
      for (let channel = 0; channel < 3; channel++) {
        const at = 3 * square + channel;
        sums[at] = (sums[at] as number) + (rgb[3 * (y * width + x) + channel] as number);
      }
    }
  }
  const mean = (column: number, row: number, channel: number): number => {
    const square = row * small.width + column;
    return (sums[3 * square + channel] as number) / (counts[square] as number);
  };
  const large = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const down = place(y, small.height);
    for (let x = 0; x < width; x++) {
      const across = place(x, small.width);
      for (let channel = 0; channel < 3; channel++) {
        const row = (at: number): number =>
          mean(across.before, at, channel) * (1 - across.share) + mean(across.after, at, channel) * across.share;
        large[3 * (y * width + x) + channel] = Math.round(
          row(down.before) * (1 - down.share) + row(down.after) * down.share,
        );
      }
    }
  }
  return large;
}

/** The squares whose middles are around the pixel, and the share of the second. */
function place(
  pixel: number,
  count: number,
): { readonly before: number; readonly after: number; readonly share: number } {
  const at = Math.min(Math.max((pixel + 0.5) / tileSide - 0.5, 0), count - 1);
  const before = Math.floor(at);
  return { before, after: Math.min(before + 1, count - 1), share: at - before };
}

/** [height * width], 0..255: Rec. 601 luma. */
export function luma({ width, height, rgb }: Rgb24Frame): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, i) =>
    Math.round(
      0.299 * (rgb[3 * i] as number) + 0.587 * (rgb[3 * i + 1] as number) + 0.114 * (rgb[3 * i + 2] as number),
    ),
  );
}
