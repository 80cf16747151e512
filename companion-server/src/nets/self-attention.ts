// The pieces that every form of self-attention is made of.

import type { GraphBuilder } from '../onnx/builder.ts';
import type { Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import { attention, project } from './attention.ts';
import { linear } from './layers.ts';
import type { SelfAttentionBlock } from './denoising-network.ts';

export interface Projections<T> {
  readonly query: T;
  readonly key: T;
  readonly value: T;
}

export function mapRows<T, U>({ query, key, value }: Projections<T>, map: (rows: T) => U): Projections<U> {
  return { query: map(query), key: map(key), value: map(value) };
}

export function queryKeyValue(g: GraphBuilder, rows: Value, block: SelfAttentionBlock): Projections<Value> {
  return mapRows(block.projections, (key) => perPicture(g, project(g, rows, key, block.channels), block));
}

/** Self-attention within each picture; values are [B, length, C]. */
export function attend(
  g: GraphBuilder,
  { query, key, value }: Projections<Value>,
  { key: scope, heads, length, upcast }: SelfAttentionBlock,
): Value {
  return g.scope(scope, () => attention(g, query, key, value, { heads, queries: length, keys: length, upcast }));
}

/** The attention's output projection: any view of the tokens -> rows [M, C]. */
export function out(g: GraphBuilder, mixed: Value, block: SelfAttentionBlock): Value {
  return linear(g, asRows(g, mixed, block), block.projections.out, block.channels);
}

export function perPicture(g: GraphBuilder, rows: Value, { length, channels }: SelfAttentionBlock): Value {
  return ops.reshape(g, rows, [-1, length, channels]);
}

export function asRows(g: GraphBuilder, tokens: Value, { channels }: SelfAttentionBlock): Value {
  return ops.reshape(g, tokens, [-1, channels]);
}

/** Rows scaled to Euclidean length 1, in float32. */
export function unitLength(g: GraphBuilder, rows: Value): Value {
  const wide = ops.cast(g, rows, 'float32');
  return ops.div(g, wide, ops.reduceL2(g, wide));
}
