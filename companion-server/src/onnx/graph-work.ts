// How much a graph computes, from shapes alone: the multiplications of its convolutions, matrix products and attention,
// which are nearly all of its time. Pure.

import type { Graph, Value } from './graph.ts';
import { elementCount, type DimSizes } from './graph-memory.ts';

/** Multiply-adds of one run. Throws RangeError for an unknown that `sizes` does not have. */
export function multiplyAdds({ nodes }: Graph, sizes: DimSizes): number {
  const count = (value: Value | null | undefined): number =>
    value === null || value === undefined ? 0 : elementCount(value.dims, sizes);
  const size = (value: Value | null | undefined, axis: number): number => {
    const dim = value?.dims.at(axis);
    return dim === undefined ? 0 : elementCount([dim], sizes);
  };
  return nodes.reduce((sum, { op, inputs, outputs }) => {
    const [first, second, third] = inputs;
    const [made] = outputs;
    switch (op) {
      case 'Conv':
        return sum + count(made) * size(second, 1) * size(second, 2) * size(second, 3);
      case 'Gemm':
      case 'MatMul':
        return sum + count(made) * size(first, -1);
      // Queries by keys, then by values.
      case 'MultiHeadAttention':
        return sum + size(second, 1) * (count(first) + size(first, 0) * size(first, 1) * size(third, -1));
      default:
        return sum;
    }
  }, 0);
}
