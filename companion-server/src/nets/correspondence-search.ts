// The nearest-neighbour field of TokenFlow (arXiv 2307.10373, section 4.2).

import type { GraphBuilder } from '../onnx/builder.ts';
import type { Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import { chunkCount } from './attention.ts';

/** Most similarities that exist at once when `typicalJobs` searches run together: 64 MiB in float32. */
const maxSimilarities = 16 * 1024 * 1024;
const typicalJobs = 8;

/** int32 [jobs]: the frame (within the chunk) and the keyframe (within the given ones) of each search. */
export interface Searches {
  readonly jobFrame: Value;
  readonly jobKeyframe: Value;
}

/**
 * For every search and token of its frame, the most similar token of the keyframe by cosine, int32 [jobs, length], counted
 * within the keyframe. Only the keyframes' tokens need unit length: a query's own length scales all of its similarities
 * alike. Computed in float32 on every device: near-ties flip in half precision.
 * @param frames [N, length, C]
 * @param keyframes [K, length, C], unit length
 */
export function nearestTokens(
  g: GraphBuilder,
  frames: Value,
  keyframes: Value,
  { jobFrame, jobKeyframe }: Searches,
  length: number,
): Value {
  const queries = ops.gather(g, ops.cast(g, frames, 'float32'), jobFrame, 0);
  const keys = ops.transpose(g, ops.gather(g, keyframes, jobKeyframe, 0), [0, 2, 1]);
  const chunks = chunkCount(length, (typicalJobs * length * length) / maxSimilarities);
  const parts = chunks === 1 ? [queries] : ops.split(g, queries, 1, chunks);
  const found = parts.map((part) => ops.argMax(g, ops.matMul(g, part, keys)));
  const [only] = found;
  return found.length === 1 && only !== undefined ? only : ops.concat(g, found, 1);
}

/** Positions [jobs, length] within each search's keyframe, counted over all keyframes' tokens instead. */
export function offsetByKeyframe(g: GraphBuilder, nearest: Value, { jobKeyframe }: Searches, length: number): Value {
  const first = ops.mul(g, jobKeyframe, g.constant('int32', [length], [1]));
  return ops.add(g, nearest, ops.reshape(g, first, [-1, 1]));
}
