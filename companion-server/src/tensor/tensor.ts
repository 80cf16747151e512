// The one value that flows between the numeric modules: a dense row-major float32 array with its dims.
// Imports nothing.

/** A dense, row-major tensor. `data.length` equals the product of `dims`. Treat both as immutable. */
export interface Tensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** The number of elements that `dims` describes; 1 for a scalar (`[]`). */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** Makes a tensor over `data` (kept, not copied), or over zeros. Throws RangeError when sizes disagree. */
export function tensor(dims: readonly number[], data?: Float32Array): Tensor {
  const size = sizeOf(dims);
  if (data !== undefined && data.length !== size) {
    throw new RangeError(`tensor: dims [${dims.join(', ')}] need ${size} values, got ${data.length}.`);
  }
  return { dims, data: data ?? new Float32Array(size) };
}

/** Rows `start` (included) to `end` (excluded) of the first axis, as a view on the same memory. */
export function sliceRows(source: Tensor, start: number, end: number): Tensor {
  const [rows = 0, ...rest] = source.dims;
  if (!(start >= 0 && start <= end && end <= rows)) {
    throw new RangeError(`sliceRows: rows ${start}..${end} are outside 0..${rows}.`);
  }
  const rowSize = sizeOf(rest);
  return {
    dims: [end - start, ...rest],
    data: source.data.subarray(start * rowSize, end * rowSize),
  };
}

/** Copies of the rows `indices` of the first axis, in that order. */
export function takeRows(source: Tensor, indices: readonly number[]): Tensor {
  const [, ...rest] = source.dims;
  const rowSize = sizeOf(rest);
  const data = new Float32Array(indices.length * rowSize);
  indices.forEach((index, row) => {
    data.set(sliceRows(source, index, index + 1).data, row * rowSize);
  });
  return { dims: [indices.length, ...rest], data };
}

/** Joins tensors along the first axis. All other dims must be equal. */
export function concatRows(parts: readonly Tensor[]): Tensor {
  const [first] = parts;
  if (first === undefined) throw new RangeError('concatRows: nothing to join.');
  const rest = first.dims.slice(1);
  const data = new Float32Array(parts.reduce((size, part) => size + part.data.length, 0));
  let offset = 0;
  for (const part of parts) {
    if (part.dims.slice(1).join() !== rest.join()) {
      throw new RangeError(`concatRows: dims [${part.dims.join(', ')}] do not fit [${first.dims.join(', ')}].`);
    }
    data.set(part.data, offset);
    offset += part.data.length;
  }
  return { dims: [parts.reduce((rows, part) => rows + (part.dims[0] ?? 0), 0), ...rest], data };
}

/** a - b, element by element. Throws RangeError when dims differ. */
export function subtract(a: Tensor, b: Tensor): Tensor {
  if (a.dims.join() !== b.dims.join()) {
    throw new RangeError(`subtract: dims [${a.dims.join(', ')}] and [${b.dims.join(', ')}] must be equal.`);
  }
  const result = tensor(a.dims);
  for (let i = 0; i < result.data.length; i++) result.data[i] = (a.data[i] as number) - (b.data[i] as number);
  return result;
}
