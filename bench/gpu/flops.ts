// Floating-point operations of one run of a graph: two for every multiplication and addition of its convolutions,
// matrix products and attentions. Everything else is bound by memory and not counted.

import type { Dim } from '../../companion-server/src/onnx/dims.ts';
import type { Graph, Node, Value } from '../../companion-server/src/onnx/graph.ts';

/** `unknowns` gives the sizes of the graph's symbolic dimensions, for instance { frames: 8, tokens: 77 }. */
export function countFlops(graph: Graph, unknowns: Readonly<Record<string, number>>): number {
  const sizeOf = (dim: Dim): number => {
    if (typeof dim === 'number') return dim;
    return dim.symbols.reduce((product, name) => product * known(name), dim.factor);
  };
  const known = (name: string): number => {
    const size = unknowns[name];
    if (size === undefined) throw new TypeError(`${graph.name}: the size of ${name} is not known.`);
    return size;
  };
  const dimsOf = (value: Value | null | undefined) => (value?.dims ?? []).map(sizeOf);
  return graph.nodes.reduce((sum, node) => sum + flopsOf(node, dimsOf), 0);
}

function flopsOf(
  { op, inputs, outputs, attributes }: Node,
  dimsOf: (value: Value | null | undefined) => readonly number[],
): number {
  const [a, b, c] = inputs.map(dimsOf);
  const result = product(dimsOf(outputs[0]));
  switch (op) {
    case 'Conv':
      // A weight [to, from per group, height, width] is used once per result.
      return 2 * result * product((b ?? []).slice(1));
    case 'Gemm':
      return 2 * result * ((attributes['transA'] === 1 ? a?.[0] : a?.[1]) ?? 0);
    case 'MatMul':
      return 2 * result * (a?.at(-1) ?? 0);
    case 'MultiHeadAttention': {
      const [batch = 0, queries = 0, width = 0] = a ?? [];
      const [, keys = 0] = b ?? [];
      return 2 * batch * queries * keys * (width + (c?.[2] ?? 0));
    }
    default:
      return 0;
  }
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}
