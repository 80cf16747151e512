// Scaled dot-product attention (arXiv 1706.03762) in two forms: ONNX Runtime's fused operator, and a plain one
// that is chunked over queries, so that the score matrix never exists as a whole.

import type { GraphBuilder } from '../onnx/builder.ts';
import type { Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import { linear } from './layers.ts';

/** Most scores per batch entry that the plain form holds at once: 64 MiB in float32. */
const maxScores = 16 * 1024 * 1024;

export interface AttentionOptions {
  readonly heads: number;
  /** Upper bounds of the number of queries and keys; the plain form sizes its chunks by them. */
  readonly queries: number;
  readonly keys: number;
  /** The number of chunks must divide this part of the query length; the query length when left out. */
  readonly chunkUnit?: number;
  /** Computes in single precision in a half precision graph: scores of Stable Diffusion 2.1 leave its range. */
  readonly upcast?: boolean;
}

/** query [B, Lq, H*d], key [B, Lk, H*d], value [B, Lk, H*e] -> [B, Lq, H*e] */
export function attention(g: GraphBuilder, query: Value, key: Value, value: Value, options: AttentionOptions): Value {
  if (options.upcast !== true) return attend(g, query, key, value, options);
  const [q, k, v] = [query, key, value].map((x) => ops.cast(g, x, 'float32')) as [Value, Value, Value];
  return ops.cast(g, attend(g, q, k, v, options), g.float);
}

function attend(g: GraphBuilder, query: Value, key: Value, value: Value, options: AttentionOptions): Value {
  return g.fused.multiHeadAttention
    ? ops.multiHeadAttention(g, query, key, value, options.heads)
    : plainAttention(g, query, key, value, options);
}

function plainAttention(
  g: GraphBuilder,
  query: Value,
  key: Value,
  value: Value,
  { heads, queries, keys, chunkUnit = queries }: AttentionOptions,
): Value {
  const width = ops.dimAt('attention', query, 2);
  const valueWidth = ops.dimAt('attention', value, 2);
  if (typeof width !== 'number' || typeof valueWidth !== 'number') {
    throw new TypeError('attention: the widths must be fixed.');
  }
  const depth = width / heads;
  // [B, L, H*d] -> [B, H, L, d]; either B or L may be symbolic, so the fixed one is named.
  const perHead = (x: Value, each = depth) => {
    const length = ops.dimAt('attention', x, 1);
    const batch = ops.dimAt('attention', x, 0);
    const rows = typeof length === 'number' ? [-1, length] : [Number(batch), -1];
    return ops.transpose(g, ops.reshape(g, x, [...rows, heads, each]), [0, 2, 1, 3]);
  };
  const scale = ops.cast(g, g.constant('float32', [1 / Math.sqrt(depth)], []), query.dtype);
  const scaled = ops.mul(g, perHead(query), scale);
  const keyColumns = ops.transpose(g, perHead(key), [0, 1, 3, 2]);
  const values = perHead(value, valueWidth / heads);
  const mix = (part: Value) => ops.matMul(g, ops.softmax(g, ops.matMul(g, part, keyColumns)), values);
  const chunks = chunkCount(chunkUnit, (heads * queries * keys) / maxScores);
  const attended = chunks === 1 ? mix(scaled) : ops.concat(g, ops.split(g, scaled, 2, chunks).map(mix), 2);
  const merged = ops.transpose(g, attended, [0, 2, 1, 3]);
  const [batch, length] = [ops.dimAt('attention', query, 0), ops.dimAt('attention', query, 1)];
  const rows = typeof length === 'number' ? [-1, length] : [Number(batch), -1];
  return ops.reshape(g, merged, [...rows, valueWidth]);
}

/** The smallest divisor of `length` that is at least `wanted`. */
export function chunkCount(length: number, wanted: number): number {
  for (let count = Math.max(1, Math.ceil(wanted)); count < length; count++) {
    if (length % count === 0) return count;
  }
  return length;
}

/** The query, key or value projection of rows [M, C]. */
export function project(g: GraphBuilder, rows: Value, key: string, width: number): Value {
  return linear(g, rows, key, width, { hasBias: g.hasWeight(`${key}.bias`) });
}
