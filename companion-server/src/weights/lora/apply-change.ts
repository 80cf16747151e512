// A change of a weight with its scales: strength, alpha and rank, and DoRA's magnitudes.

import type { Tensor } from '../../tensor/tensor.ts';
import type { Change } from './changes.ts';
import type { Multiply } from './products.ts';
import type { Slot } from './slots.ts';

export interface ChangeScales {
  /** The user's: 0 leaves the weight as it is, 1 is the whole change. */
  readonly strength: number;
  /** Of the adapter: alpha / rank, or what its file says instead. */
  readonly scale: number;
}

/**
 * DoRA's magnitudes: each row of the changed weight, or each column of its second axis, gets this length.
 * `rows` [out], `columns` [in].
 */
export interface Magnitudes {
  readonly axis: 'rows' | 'columns';
  readonly values: Float32Array;
}

/** As LyCORIS does, so that a row of zeros stays one. */
const epsilon = 2 ** -23;

/** Changes `weight` [out, ...] in place. All arithmetic is in float32. */
export async function applyChange(
  weight: Tensor,
  change: Change,
  tensors: ReadonlyMap<Slot, Tensor>,
  { strength, scale }: ChangeScales,
  magnitudes: Magnitudes | null,
  multiply: Multiply,
): Promise<void> {
  const difference = await change.compute(tensors, multiply);
  const { data } = weight;
  if (magnitudes === null) {
    const factor = strength * scale;
    for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) + factor * (difference[i] as number);
    return;
  }
  for (let i = 0; i < data.length; i++) {
    difference[i] = (data[i] as number) + scale * (difference[i] as number);
  }
  const rescaled = magnitudes.axis === 'rows' ? rescaleRows : rescaleColumns;
  rescaled(difference, weight.dims, magnitudes.values);
  for (let i = 0; i < data.length; i++) {
    const before = data[i] as number;
    data[i] = before + strength * ((difference[i] as number) - before);
  }
}

function rescaleRows(values: Float32Array, [rows = 1]: readonly number[], lengths: Float32Array): void {
  const width = values.length / rows;
  for (let row = 0; row < rows; row++) {
    const part = values.subarray(row * width, (row + 1) * width);
    let sum = 0;
    for (let i = 0; i < width; i++) sum += (part[i] as number) ** 2;
    const factor = (lengths[row] as number) / (Math.sqrt(sum) + epsilon);
    for (let i = 0; i < width; i++) part[i] = (part[i] as number) * factor;
  }
}

/** A column is all that one input of the layer is multiplied by: every row, and the whole kernel. */
function rescaleColumns(values: Float32Array, [rows = 1, columns = 1]: readonly number[], lengths: Float32Array): void {
  const kernel = values.length / (rows * columns);
  const sums = new Float64Array(columns);
  const columnOf = (i: number): number => Math.floor(i / kernel) % columns;
  for (let i = 0; i < values.length; i++) {
    const column = columnOf(i);
    sums[column] = (sums[column] as number) + (values[i] as number) ** 2;
  }
  const factors = sums.map((sum, column) => (lengths[column] as number) / (Math.sqrt(sum) + epsilon));
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * (factors[columnOf(i)] as number);
}
