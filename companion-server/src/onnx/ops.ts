// One function per ONNX operator (opset 17): checks ranks and shapes, infers the output's, records the node.
// Function names are the operators' names; errors name the operator, the rule and the values.

import { addDims, divideDims, equalDims, formatDims, multiplyDims, type Dim, type Dims } from './dims.ts';
import { elementTypes, ShapeError, type DataType, type Value } from './graph.ts';
import type { GraphBuilder } from './builder.ts';

/** The size of axis `axis` (negative counts from the end). */
export function dimAt(op: string, value: Value, axis: number): Dim {
  const dim = value.dims.at(axis);
  if (dim === undefined) throw new ShapeError(op, `needs an axis ${axis}`, value);
  return dim;
}

function requireRank(op: string, value: Value, rank: number): void {
  if (value.dims.length !== rank) throw new ShapeError(op, `needs rank ${rank}`, value);
}

function requireEqual(op: string, rule: string, a: Dim, b: Dim, ...values: Value[]): void {
  if (!equalDims(a, b)) throw new ShapeError(op, rule, ...values);
}

function staticDim(op: string, value: Value, axis: number): number {
  const dim = dimAt(op, value, axis);
  if (typeof dim !== 'number') {
    throw new ShapeError(op, `needs a fixed size on axis ${axis}`, value);
  }
  return dim;
}

function broadcast(op: string, a: Value, b: Value): Dims {
  const rank = Math.max(a.dims.length, b.dims.length);
  return Array.from({ length: rank }, (_, i) => {
    const left = a.dims[i - rank + a.dims.length] ?? 1;
    const right = b.dims[i - rank + b.dims.length] ?? 1;
    if (left === 1) return right;
    if (right === 1 || equalDims(left, right)) return left;
    throw new ShapeError(op, 'needs shapes that broadcast', a, b);
  });
}

function elementwise(g: GraphBuilder, op: string, a: Value, b: Value): Value {
  if (a.dtype !== b.dtype) throw new ShapeError(op, 'needs equal types', a, b);
  return g.op({ op, inputs: [a, b], outputs: [{ dtype: a.dtype, dims: broadcast(op, a, b) }] });
}

export const add = (g: GraphBuilder, a: Value, b: Value) => elementwise(g, 'Add', a, b);
export const sub = (g: GraphBuilder, a: Value, b: Value) => elementwise(g, 'Sub', a, b);
export const mul = (g: GraphBuilder, a: Value, b: Value) => elementwise(g, 'Mul', a, b);
export const div = (g: GraphBuilder, a: Value, b: Value) => elementwise(g, 'Div', a, b);

function unary(g: GraphBuilder, op: string, x: Value, domain = ''): Value {
  return g.op({ op, domain, inputs: [x], outputs: [{ dtype: x.dtype, dims: x.dims }] });
}

export const sigmoid = (g: GraphBuilder, x: Value) => unary(g, 'Sigmoid', x);
export const sqrt = (g: GraphBuilder, x: Value) => unary(g, 'Sqrt', x);
export const relu = (g: GraphBuilder, x: Value) => unary(g, 'Relu', x);
export const tanh = (g: GraphBuilder, x: Value) => unary(g, 'Tanh', x);
export const erf = (g: GraphBuilder, x: Value) => unary(g, 'Erf', x);
export const fusedGelu = (g: GraphBuilder, x: Value) => unary(g, 'Gelu', x, 'com.microsoft');

/** A number in the type of the graph, for element-wise operators. */
export function scalar(g: GraphBuilder, value: number): Value {
  return cast(g, g.constant('float32', [value], []), g.float);
}

export function cast(g: GraphBuilder, x: Value, dtype: DataType): Value {
  if (x.dtype === dtype) return x;
  return g.op({
    op: 'Cast',
    inputs: [x],
    outputs: [{ dtype, dims: x.dims }],
    attributes: { to: elementTypes[dtype] },
  });
}

export interface ConvOptions {
  readonly stride?: 1 | 2;
  /** top, left, bottom, right */
  readonly pads?: readonly [number, number, number, number];
}

/** x [N, Cin, H, W], weight [Cout, Cin, kh, kw], bias [Cout] or none -> [N, Cout, H', W'] */
export function conv(
  g: GraphBuilder,
  x: Value,
  weight: Value,
  bias: Value | null,
  { stride = 1, pads = [1, 1, 1, 1] }: ConvOptions = {},
): Value {
  requireRank('Conv', x, 4);
  requireRank('Conv', weight, 4);
  requireEqual(
    'Conv',
    'input channels must match the weight',
    dimAt('Conv', x, 1),
    dimAt('Conv', weight, 1),
    x,
    weight,
  );
  const [kh, kw] = [staticDim('Conv', weight, 2), staticDim('Conv', weight, 3)];
  const out = (size: number, pad: number, kernel: number) => Math.floor((size + pad - kernel) / stride) + 1;
  const dims = [
    dimAt('Conv', x, 0),
    dimAt('Conv', weight, 0),
    out(staticDim('Conv', x, 2), pads[0] + pads[2], kh),
    out(staticDim('Conv', x, 3), pads[1] + pads[3], kw),
  ];
  return g.op({
    op: 'Conv',
    inputs: bias === null ? [x, weight] : [x, weight, bias],
    outputs: [{ dtype: x.dtype, dims }],
    attributes: { kernel_shape: [kh, kw], strides: [stride, stride], pads },
  });
}

/** x [M, K] times the transpose of weight [N, K], plus bias [N] -> [M, N] */
export function gemm(g: GraphBuilder, x: Value, weight: Value, bias: Value | null): Value {
  requireRank('Gemm', x, 2);
  requireRank('Gemm', weight, 2);
  requireEqual('Gemm', 'inner sizes must match', dimAt('Gemm', x, 1), dimAt('Gemm', weight, 1), x, weight);
  return g.op({
    op: 'Gemm',
    inputs: bias === null ? [x, weight] : [x, weight, bias],
    outputs: [{ dtype: x.dtype, dims: [dimAt('Gemm', x, 0), dimAt('Gemm', weight, 0)] }],
    attributes: { transB: 1 },
  });
}

/** a [..., M, K] times b [..., K, N]; leading axes equal, or b of rank 2 */
export function matMul(g: GraphBuilder, a: Value, b: Value): Value {
  requireEqual('MatMul', 'inner sizes must match', dimAt('MatMul', a, -1), dimAt('MatMul', b, -2), a, b);
  if (b.dims.length > 2 && formatDims(a.dims.slice(0, -2)) !== formatDims(b.dims.slice(0, -2))) {
    throw new ShapeError('MatMul', 'leading axes must be equal', a, b);
  }
  const dims = [...a.dims.slice(0, -1), dimAt('MatMul', b, -1)];
  return g.op({ op: 'MatMul', inputs: [a, b], outputs: [{ dtype: a.dtype, dims }] });
}

/** Views x with other dims. At most one is -1: it takes what is left, and may be symbolic. */
export function reshape(g: GraphBuilder, x: Value, dims: readonly number[]): Value {
  const known = dims.filter((dim) => dim !== -1);
  const rest = divideDims(multiplyDims(...x.dims), multiplyDims(...known));
  if (rest === undefined || dims.length - known.length > 1 || (known.length === dims.length && rest !== 1)) {
    throw new ShapeError('Reshape', `can't become [${dims.join(', ')}]`, x);
  }
  const shape = g.constant('int64', dims, [dims.length]);
  return g.op({
    op: 'Reshape',
    inputs: [x, shape],
    outputs: [{ dtype: x.dtype, dims: dims.map((dim) => (dim === -1 ? rest : dim)) }],
  });
}

export function transpose(g: GraphBuilder, x: Value, perm: readonly number[]): Value {
  if ([...perm].sort((a, b) => a - b).join() !== x.dims.map((_, i) => i).join()) {
    throw new ShapeError('Transpose', `perm [${perm.join(', ')}] must order all axes`, x);
  }
  return g.op({
    op: 'Transpose',
    inputs: [x],
    outputs: [{ dtype: x.dtype, dims: perm.map((axis) => dimAt('Transpose', x, axis)) }],
    attributes: { perm },
  });
}

export function concat(g: GraphBuilder, parts: readonly Value[], axis: number): Value {
  const [first, ...others] = parts;
  if (first === undefined) throw new ShapeError('Concat', 'needs an input');
  dimAt('Concat', first, axis);
  for (const part of others) {
    requireRank('Concat', part, first.dims.length);
    if (part.dtype !== first.dtype) throw new ShapeError('Concat', 'needs equal types', first, part);
  }
  const dims = others.reduce<Dim[]>(
    (sum, part) =>
      sum.map((dim, i) => {
        const other = dimAt('Concat', part, i);
        const joined = i === axis ? addDims(dim, other) : equalDims(dim, other) ? dim : undefined;
        if (joined === undefined) throw new ShapeError('Concat', `needs equal sizes off axis ${axis}`, ...parts);
        return joined;
      }),
    [...first.dims],
  );
  return g.op({
    op: 'Concat',
    inputs: parts,
    outputs: [{ dtype: first.dtype, dims }],
    attributes: { axis },
  });
}

/** `count` equal parts of axis `axis`, which may be symbolic. */
export function split(g: GraphBuilder, x: Value, axis: number, count: number): Value[] {
  const part = divideDims(dimAt('Split', x, axis), count);
  if (part === undefined) throw new ShapeError('Split', `axis ${axis} must divide by ${count}`, x);
  const dims = x.dims.map((dim, i) => (i === axis ? part : dim));
  return g.opWithOutputs({
    op: 'Split',
    inputs: [x],
    outputs: Array.from({ length: count }, () => ({ dtype: x.dtype, dims })),
    attributes: { axis },
  });
}

/** Positions start (included) to end (excluded) of an axis of fixed size. */
export function slice(g: GraphBuilder, x: Value, axis: number, start: number, end: number): Value {
  const size = staticDim('Slice', x, axis);
  if (!(start >= 0 && start < end && end <= size)) {
    throw new ShapeError('Slice', `${start}..${end} must lie inside axis ${axis}`, x);
  }
  if (start === 0 && end === size) return x;
  const index = (value: number) => g.constant('int64', [value], [1]);
  return g.op({
    op: 'Slice',
    inputs: [x, index(start), index(end), index(axis)],
    outputs: [{ dtype: x.dtype, dims: x.dims.map((dim, i) => (i === axis ? end - start : dim)) }],
  });
}

/** Entries `indices` (int32 or int64) of axis `axis`; the axis is replaced by the dims of indices. */
export function gather(g: GraphBuilder, x: Value, indices: Value, axis: number): Value {
  if (indices.dtype !== 'int32' && indices.dtype !== 'int64') {
    throw new ShapeError('Gather', 'needs integer indices', indices);
  }
  dimAt('Gather', x, axis);
  return g.op({
    op: 'Gather',
    inputs: [x, indices],
    outputs: [
      {
        dtype: x.dtype,
        dims: [...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)],
      },
    ],
    attributes: { axis },
  });
}

/** Position of the largest value of the last axis, first one among equals; int32, the axis is gone. */
export function argMax(g: GraphBuilder, x: Value): Value {
  const index = g.op({
    op: 'ArgMax',
    inputs: [x],
    outputs: [{ dtype: 'int64', dims: x.dims.slice(0, -1) }],
    attributes: { axis: x.dims.length - 1, keepdims: 0 },
  });
  return cast(g, index, 'int32');
}

/** Softmax over the last axis. */
export function softmax(g: GraphBuilder, x: Value): Value {
  return g.op({
    op: 'Softmax',
    inputs: [x],
    outputs: [{ dtype: x.dtype, dims: x.dims }],
    attributes: { axis: x.dims.length - 1 },
  });
}

/** Mean over the last axis, which stays with size 1. */
export function reduceMean(g: GraphBuilder, x: Value): Value {
  return reduceLast(g, 'ReduceMean', x);
}

/** Euclidean length over the last axis, which stays with size 1. */
export function reduceL2(g: GraphBuilder, x: Value): Value {
  return reduceLast(g, 'ReduceL2', x);
}

function reduceLast(g: GraphBuilder, op: 'ReduceMean' | 'ReduceL2', x: Value): Value {
  return g.op({
    op,
    inputs: [x],
    outputs: [{ dtype: x.dtype, dims: [...x.dims.slice(0, -1), 1] }],
    attributes: { axes: [x.dims.length - 1], keepdims: 1 },
  });
}

/** Layer normalisation over the last axis. */
export function layerNormalization(g: GraphBuilder, x: Value, weight: Value, bias: Value, epsilon: number): Value {
  return g.op({
    op: 'LayerNormalization',
    inputs: [x, weight, bias],
    outputs: [{ dtype: x.dtype, dims: x.dims }],
    attributes: { axis: -1, epsilon: { float: epsilon } },
  });
}

/** Normalises each channel of x [N, C, ...] over the remaining axes. */
export function instanceNormalization(g: GraphBuilder, x: Value, scale: Value, bias: Value, epsilon: number): Value {
  return g.op({
    op: 'InstanceNormalization',
    inputs: [x, scale, bias],
    outputs: [{ dtype: x.dtype, dims: x.dims }],
    attributes: { epsilon: { float: epsilon } },
  });
}

/** Nearest-neighbour enlargement of x [N, C, H, W] to twice the size. */
export function resizeNearest2x(g: GraphBuilder, x: Value): Value {
  requireRank('Resize', x, 4);
  const [n, c] = [dimAt('Resize', x, 0), dimAt('Resize', x, 1)];
  const dims = [n, c, staticDim('Resize', x, 2) * 2, staticDim('Resize', x, 3) * 2];
  return g.op({
    op: 'Resize',
    inputs: [x, null, g.constant('float32', [1, 1, 2, 2], [4])],
    outputs: [{ dtype: x.dtype, dims }],
    attributes: {
      coordinate_transformation_mode: 'asymmetric',
      mode: 'nearest',
      nearest_mode: 'floor',
    },
  });
}

/** Limits x to low..high. */
export function clip(g: GraphBuilder, x: Value, low: number, high: number): Value {
  return g.op({
    op: 'Clip',
    inputs: [x, scalar(g, low), scalar(g, high)],
    outputs: [{ dtype: x.dtype, dims: x.dims }],
  });
}

/** Fused attention: query [B, Lq, H*d], key [B, Lk, H*d], value [B, Lk, H*e] -> [B, Lq, H*e], scale 1/sqrt(d) */
export function multiHeadAttention(g: GraphBuilder, query: Value, key: Value, value: Value, heads: number): Value {
  for (const x of [query, key, value]) requireRank('MultiHeadAttention', x, 3);
  for (const x of [query, value]) {
    if (staticDim('MultiHeadAttention', x, 2) % heads !== 0) {
      throw new ShapeError('MultiHeadAttention', `${heads} heads must divide the width`, x);
    }
  }
  return g.op({
    op: 'MultiHeadAttention',
    domain: 'com.microsoft',
    inputs: [query, key, value],
    outputs: [
      {
        dtype: query.dtype,
        dims: [...query.dims.slice(0, 2), dimAt('MultiHeadAttention', value, 2)],
      },
    ],
    attributes: { num_heads: heads },
  });
}
