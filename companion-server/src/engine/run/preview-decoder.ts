// From the latents of a frame to a small picture, cheap enough to be done at every step of an edit. One pixel for one latent.

import type { Picture } from '../../media/frame.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** What a frame of an edit looks like so far. */
export interface GrowingPicture {
  readonly jpeg: Uint8Array;
  /** Of the edit, from 0. */
  readonly frameIndex: number;
}

export interface PreviewDecoder {
  /** @param latents [1, C, h, w] of a clean frame, those of the UNet */
  decode(latents: Tensor): Promise<Picture<'rgb24'>>;
}

/** Keeps the equations solvable where channels depend on each other, as in a grey frame. */
const ridge = 1e-3;

/**
 * Fits red, green and blue as weighted sums of the latent channels, by least squares over the positions of one frame whose
 * pixels are known. This holds for the latents of any model, needs no further weights, and takes milliseconds. Published
 * tables of such weights for single models were made the same way.
 *
 * @param latents [1, C, h, w] of the frame
 * @param frame the frame at a multiple of that size
 */
export function fitLinearDecoder(latents: Tensor, frame: Picture<'rgb24'>): PreviewDecoder {
  const [, channels = 0, height = 0, width = 0] = latents.dims;
  const pixels = averaged(frame, width, height);
  const rows = channels + 1;
  const weights = [0, 1, 2].map((colour) => {
    const matrix = Array.from({ length: rows }, () => new Float64Array(rows + 1));
    for (let at = 0; at < width * height; at++) {
      const inputs = inputsAt(latents, at);
      for (let row = 0; row < rows; row++) {
        const line = matrix[row];
        if (line === undefined) continue;
        for (let column = 0; column < rows; column++)
          line[column] = (line[column] ?? 0) + (inputs[row] ?? 0) * (inputs[column] ?? 0);
        line[rows] = (line[rows] ?? 0) + (inputs[row] ?? 0) * (pixels[3 * at + colour] ?? 0);
      }
    }
    matrix.forEach((line, row) => (line[row] = (line[row] ?? 0) + ridge * width * height));
    return solve(matrix);
  });
  return {
    decode(given) {
      const [, , tall = 0, wide = 0] = given.dims;
      const rgb = new Uint8ClampedArray(3 * tall * wide);
      for (let at = 0; at < tall * wide; at++) {
        const inputs = inputsAt(given, at);
        weights.forEach((column, colour) => {
          rgb[3 * at + colour] = column.reduce((sum, weight, row) => sum + weight * (inputs[row] ?? 0), 0);
        });
      }
      return Promise.resolve({ width: wide, height: tall, pixelFormat: 'rgb24', rgb: new Uint8Array(rgb.buffer) });
    },
  };
}

/** The channels at a position, and 1 for the constant. */
function inputsAt({ dims, data }: Tensor, at: number): readonly number[] {
  const [, channels = 0, height = 0, width = 0] = dims;
  return [...Array.from({ length: channels }, (_, channel) => data[channel * height * width + at] ?? 0), 1];
}

/** Mean colours, three to a position. */
function averaged({ width, height, rgb }: Picture<'rgb24'>, columns: number, rows: number): Float64Array {
  const [across, down] = [width / columns, height / rows];
  if (!Number.isInteger(across) || !Number.isInteger(down)) {
    throw new RangeError(`fitLinearDecoder: a frame of ${width} x ${height} is no multiple of ${columns} x ${rows}.`);
  }
  const sums = new Float64Array(3 * columns * rows);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const to = 3 * (Math.floor(y / down) * columns + Math.floor(x / across));
      for (let colour = 0; colour < 3; colour++) {
        sums[to + colour] = (sums[to + colour] ?? 0) + (rgb[3 * (y * width + x) + colour] ?? 0);
      }
    }
  }
  return sums.map((sum) => sum / (across * down));
}

/** Gaussian elimination of symmetric, positive equations: each line has its right side at the end. */
function solve(lines: readonly Float64Array[]): readonly number[] {
  const count = lines.length;
  for (let pivot = 0; pivot < count; pivot++) {
    const own = lines[pivot] ?? new Float64Array();
    for (let row = pivot + 1; row < count; row++) {
      const line = lines[row] ?? new Float64Array();
      const factor = (line[pivot] ?? 0) / (own[pivot] ?? 1);
      for (let column = pivot; column <= count; column++)
        line[column] = (line[column] ?? 0) - factor * (own[column] ?? 0);
    }
  }
  const found = new Array<number>(count).fill(0);
  for (let row = count - 1; row >= 0; row--) {
    const line = lines[row] ?? new Float64Array();
    let rest = line[count] ?? 0;
    for (let column = row + 1; column < count; column++) rest -= (line[column] ?? 0) * (found[column] ?? 0);
    found[row] = rest / (line[row] ?? 1);
  }
  return found;
}
