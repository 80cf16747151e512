// Colours straight from latents: near enough to a linear map that one fitted to the pixels of one frame shows what another
// becomes, without a network and within milliseconds. Published tables of such weights for single models were made in the
// same way; fitted, it holds for every model.

import { tensor, type Tensor } from '../../tensor/tensor.ts';

/** Per colour (red, green, blue) the weights of the latent's channels and, last, what is added. Colours are -1..1. */
export type LatentColours = readonly (readonly number[])[];

/** Per position: keeps the equations solvable where channels depend on each other, as in a grey frame. */
const ridge = 1e-3;

/**
 * The linear map that brings latents nearest to the colours of their picture, by least squares.
 * @param latents [1, C, h, w]
 * @param picture [1, 3, H, W], -1..1. Throws RangeError unless it has whole pixels per latent.
 */
export function fitColours(latents: Tensor, picture: Tensor): LatentColours {
  const [, channels = 0, height = 0, width = 0] = latents.dims;
  const cells = height * width;
  const [, , tall = 0, wide = 0] = picture.dims;
  const factor = tall / height;
  if (!Number.isInteger(factor) || wide !== factor * width) {
    throw new RangeError(`fitColours: ${wide} x ${tall} pixels are no multiple of ${width} x ${height} latents.`);
  }
  const small = shrunk(picture, factor);
  const count = channels + 1;
  const normal = Array.from({ length: count }, () => new Float64Array(count));
  const right = [0, 1, 2].map(() => new Float64Array(count));
  const at = (channel: number, cell: number): number =>
    channel === channels ? 1 : (latents.data[channel * cells + cell] ?? 0);
  for (let cell = 0; cell < cells; cell++) {
    for (let i = 0; i < count; i++) {
      const value = at(i, cell);
      const row = normal[i] ?? new Float64Array();
      for (let j = 0; j < count; j++) row[j] = (row[j] ?? 0) + value * at(j, cell);
      right.forEach((sums, colour) => {
        sums[i] = (sums[i] ?? 0) + value * (small.data[colour * cells + cell] ?? 0);
      });
    }
  }
  normal.forEach((row, i) => {
    row[i] = (row[i] ?? 0) + ridge * cells;
  });
  return right.map((sums) => solve(normal, sums));
}

/** @returns [N, 3, h, w], about -1..1: a pixel per latent. @param latents [N, C, h, w] */
export function coloursOf(latents: Tensor, colours: LatentColours): Tensor {
  const [frames = 0, channels = 0, height = 0, width = 0] = latents.dims;
  const cells = height * width;
  const image = tensor([frames, 3, height, width]);
  for (let frame = 0; frame < frames; frame++) {
    for (const [colour, weights] of colours.entries()) {
      const target = image.data.subarray((3 * frame + colour) * cells, (3 * frame + colour + 1) * cells);
      target.fill(weights[channels] ?? 0);
      for (let channel = 0; channel < channels; channel++) {
        const weight = weights[channel] ?? 0;
        const start = (frame * channels + channel) * cells;
        for (let cell = 0; cell < cells; cell++) {
          target[cell] = (target[cell] ?? 0) + weight * (latents.data[start + cell] ?? 0);
        }
      }
    }
  }
  return image;
}

/** Means of `factor` x `factor` blocks; what is left at the right and below is dropped. @param image [N, C, h, w] */
export function shrunk({ dims, data }: Tensor, factor: number): Tensor {
  const [frames = 0, channels = 0, height = 0, width = 0] = dims;
  if (factor === 1) return { dims, data };
  const [rows, columns] = [Math.floor(height / factor), Math.floor(width / factor)];
  const result = tensor([frames, channels, rows, columns]);
  for (let plane = 0; plane < frames * channels; plane++) {
    for (let y = 0; y < rows * factor; y++) {
      const row = (plane * rows + Math.floor(y / factor)) * columns;
      for (let x = 0; x < columns * factor; x++) {
        const target = row + Math.floor(x / factor);
        result.data[target] = (result.data[target] ?? 0) + (data[(plane * height + y) * width + x] ?? 0);
      }
    }
  }
  const share = 1 / (factor * factor);
  return { dims: result.dims, data: result.data.map((value) => value * share) };
}

/** x with `matrix` x = `right`, by Gaussian elimination; `matrix` is symmetric and positive. */
function solve(matrix: readonly Float64Array[], right: Float64Array): readonly number[] {
  const rows = matrix.map((row, i) => [...row, right[i] ?? 0]);
  for (const [pivot, pivotRow] of rows.entries()) {
    for (const row of rows.slice(pivot + 1)) {
      const factor = (row[pivot] ?? 0) / (pivotRow[pivot] ?? 1);
      for (let i = pivot; i < row.length; i++) row[i] = (row[i] ?? 0) - factor * (pivotRow[i] ?? 0);
    }
  }
  const result = Array<number>(rows.length).fill(0);
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i] ?? [];
    const known = result.reduce((sum, value, j) => (j > i ? sum + (row[j] ?? 0) * value : sum), 0);
    result[i] = ((row.at(-1) ?? 0) - known) / (row[i] ?? 1);
  }
  return result;
}
