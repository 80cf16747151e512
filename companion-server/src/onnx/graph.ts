// A typed graph in memory. Values are identities: an edge can't be misspelt, names exist only for reading and
// for files. Nothing here knows protobuf (serde.ts) or ONNX Runtime (session.ts).

import type { StoredTensor } from '../tensor/stored-tensor.ts';
import { formatDims, type Dims } from './dims.ts';

export type FloatType = 'float32' | 'float16';
export type DataType = FloatType | 'bfloat16' | 'int32' | 'int64' | 'bool';

/** ONNX's numbers of the element types (TensorProto.DataType). */
export const elementTypes: Readonly<Record<DataType, number>> = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
};

/** An edge of the graph. Compared by identity. */
export interface Value {
  readonly name: string;
  readonly dtype: DataType;
  readonly dims: Dims;
}

export type Attribute = number | string | readonly number[] | { readonly float: number };

export interface Node {
  readonly name: string;
  readonly op: string;
  /** '' for the standard operators, 'com.microsoft' for ONNX Runtime's own. */
  readonly domain: string;
  /** null is an optional input that is left out. */
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A constant: small ones carry their bytes, weights point into the checkpoint's file. */
export type Initializer =
  { readonly value: Value; readonly bytes: Uint8Array } | { readonly value: Value; readonly stored: StoredTensor };

export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
}

/** A graph was put together wrongly: operator, rule, what came. Always a mistake of ours or an odd checkpoint. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';

  constructor(op: string, rule: string, ...values: readonly (Value | null)[]) {
    const got = values.map((value) => (value === null ? 'none' : describe(value))).join(', ');
    super(`${op}: ${rule}${got === '' ? '.' : `, got ${got}.`}`);
  }
}

/** `name float32[2, 77, 768]` */
export function describe(value: Value): string {
  return `${value.name} ${value.dtype}${formatDims(value.dims)}`;
}

/** The graph as one readable line per node, with types and shapes: the debugger of this module. */
export function printGraph(graph: Graph): string {
  const lines = [`graph ${graph.name}(${graph.inputs.map(describe).join(', ')})`];
  for (const node of graph.nodes) {
    const attributes = Object.entries(node.attributes).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
    const inputs = node.inputs.map((input) => input?.name ?? '-');
    const op = node.domain === '' ? node.op : `${node.domain}.${node.op}`;
    lines.push(`  ${node.outputs.map(describe).join(', ')} = ${op}(${[...inputs, ...attributes].join(', ')})`);
  }
  lines.push(`  return ${graph.outputs.map(({ name }) => name).join(', ')}`);
  return lines.join('\n');
}
