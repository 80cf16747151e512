// Extended attention (arXiv 2307.10373, section 4.1): the queries of each keyframe meet the keys and values of all
// keyframes.

import type { GraphBuilder } from '../onnx/builder.ts';
import type { Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import { attention } from './attention.ts';
import type { SelfAttentionBlock } from './denoising-network.ts';
import type { Branch } from './pass.ts';
import {
  asRows,
  attend,
  mapRows,
  out,
  perPicture,
  projectBranches,
  repeated,
  type Branches,
  type Projections,
} from './self-attention.ts';

/** Most keyframes that one pass with extended attention may hold; bounds the chunks of the plain attention. */
export const maxExtendedKeyframes = 16;

/** Rows of all branches, projected: the source's over its own frame, the edit's over the tokens of all frames. */
export function extendedAttention(
  g: GraphBuilder,
  normed: Value,
  block: SelfAttentionBlock,
  isInjected: boolean,
  present: readonly Branch[],
): Value {
  const projections = projectBranches(g, normed, block, isInjected);
  const hasSource = present[0] === 'source';
  const edits = out(g, overAllFrames(g, projections, block, hasSource), block);
  if (!hasSource) return edits;
  const source = mapRows(projections, ([rows]) => perPicture(g, rows, block));
  return ops.concat(g, [out(g, attend(g, source, block), block), edits], 0);
}

/** Rows [M, C] of the edit's branches, each over the tokens of all keyframes. */
function overAllFrames(
  g: GraphBuilder,
  { query, key, value }: Projections<Branches>,
  block: SelfAttentionBlock,
  hasSource: boolean,
): Value {
  const length = maxExtendedKeyframes * block.length;
  const { heads, upcast, channels } = block;
  const limits = { heads, upcast, queries: length, keys: length, chunkUnit: block.length };
  const isShared = query.length < value.length;
  const edits = (rows: Branches): readonly Value[] => (hasSource && rows.length > 1 ? rows.slice(1) : rows);
  const values = edits(value);
  return g.scope(block.key, () => {
    if (!isShared || values.length === 1 || !g.fused.wideValues) {
      const together = (rows: readonly Value[]) =>
        ops.reshape(g, ops.concat(g, repeated(rows, values.length), 0), [values.length, -1, channels]);
      const [q, k, v] = [together(edits(query)), together(edits(key)), together(values)] as const;
      return asRows(g, attention(g, q, k, v, limits), block);
    }
    // Equal queries and keys have equal scores: they are made once, and the branches' values lie side by side per head.
    const [q, k] = [query[0], key[0]].map((rows) => ops.reshape(g, rows, [1, -1, channels])) as [Value, Value];
    const count = values.length;
    const depth = channels / heads;
    const stacked = ops.reshape(g, ops.concat(g, values, 0), [count, -1, heads, depth]);
    const v = ops.reshape(g, ops.transpose(g, stacked, [1, 2, 0, 3]), [1, -1, count * channels]);
    const mixed = ops.reshape(g, attention(g, q, k, v, limits), [-1, heads, count, depth]);
    return asRows(g, ops.transpose(g, mixed, [2, 0, 1, 3]), block);
  });
}
