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

/** Rows per branch. */
export type Branches = readonly [Value, ...Value[]];

/** Rows per branch. Under injection queries and keys are the source's, which are made once. */
export function projectBranches(
  g: GraphBuilder,
  normed: Value,
  block: SelfAttentionBlock,
  isInjected: boolean,
): Projections<Branches> {
  const split = (rows: Value): Branches => {
    const [first, ...others] = block.branches === 1 ? [rows] : ops.split(g, rows, 0, block.branches);
    if (first === undefined) throw new TypeError(`${block.key}: no branch.`);
    return [first, ...others];
  };
  const branches = (key: string, isShared: boolean): Branches =>
    isShared ? [project(g, split(normed)[0], key, block.channels)] : split(project(g, normed, key, block.channels));
  const { query, key, value } = block.projections;
  return { query: branches(query, isInjected), key: branches(key, isInjected), value: branches(value, false) };
}

/** Rows of all branches, projected: every frame attends to itself. */
export function ownAttention(g: GraphBuilder, normed: Value, block: SelfAttentionBlock, isInjected: boolean): Value {
  if (!isInjected) return out(g, attend(g, queryKeyValue(g, normed, block), block), block);
  const projections = projectBranches(g, normed, block, isInjected);
  const count = projections.value.length;
  const pictures = mapRows(projections, (rows) => perPicture(g, ops.concat(g, repeated(rows, count), 0), block));
  return out(g, attend(g, pictures, block), block);
}

/** One for all, or one for each. */
export function repeated(rows: readonly Value[], count: number): readonly Value[] {
  return rows.length === count ? rows : Array<Value>(count).fill(rows[0] as Value);
}
