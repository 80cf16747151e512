// The replacement of the UNet's self-attention in each kind of pass (arXiv 2307.10373, section 4).

import type { GraphBuilder } from '../onnx/builder.ts';
import { symbol } from '../onnx/dims.ts';
import type { Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import { attention, project } from './attention.ts';
import { nearestTokens, offsetByKeyframe } from './correspondence-search.ts';
import type { InjectionPoints, PassHooks, SelfAttentionBlock } from './denoising-network.ts';
import type { Branch, Pass } from './pass.ts';
import {
  asRows,
  attend,
  mapRows,
  out,
  perPicture,
  queryKeyValue,
  unitLength,
  type Projections,
} from './self-attention.ts';

/** Most keyframes that one pass with extended attention may hold; bounds the chunks of the plain attention. */
export const maxExtendedKeyframes = 16;

/** Inputs of a pass that all transformer blocks share. They are made when the first block asks for them. */
interface SharedInputs {
  /** int32 [jobs]: the frame (within the pass) and the keyframe (within the given ones) of each search. */
  readonly searches: () => { readonly jobFrame: Value; readonly jobKeyframe: Value };
  /** int32 [frames]: the searches whose results are blended for each frame. */
  readonly blended: () => { readonly leftJob: Value; readonly rightJob: Value };
  /** float32 [frames]: share of the right keyframe, 0..1. */
  readonly rightWeight: () => Value;
}

/**
 * What the pass puts into the network. Beside latents, time and conditioning the graph has, per transformer block i of `length` tokens of
 * `C` channels:
 *
 * - to search: inputs `source_tokens.{i}` [keyframes, length, C] of unit length, and int32 [jobs] `job_frame`, `job_keyframe`;
 * - to propagate: inputs `attention.{i}` [branches, keyframes, length, C] and `right_weight` [frames]; with given
 *   correspondences int32 [frames, length] `left.{i}`, `right.{i}`, positions in all keyframes' tokens, else int32 [frames]
 *   `left_job`, `right_job`;
 * - as the pass emits them: outputs `source_tokens_out.{i}` [frames, length, C], `attention_out.{i}` [emitted branches,
 *   frames, length, C], `nearest.{i}` [jobs, length], counted within each keyframe.
 */
export function passHooks(pass: Pass, g: GraphBuilder, points: InjectionPoints): PassHooks {
  const shared = sharedInputs(g);
  const isInjected = ({ key }: SelfAttentionBlock) => pass.injection.attention && points.attention.test(key);
  const leavesSource = canLeaveSource(pass);
  return {
    branches: pass.branches.length,
    selfAttention: (builder, normed, block) => selfAttention(builder, normed, block, pass, shared, isInjected(block)),
    sharesConvolution: (key) => pass.injection.features && key === points.features,
    ...(leavesSource ? { leavesSourceAfter: points.features } : {}),
  };
}

/** Whether the source's branch is unused after the injected features. */
function canLeaveSource({ branches, correspondences, injection, emits }: Pass): boolean {
  const isUsed =
    injection.attention || correspondences === 'searched' || emits.sourceTokens || emits.attention.includes('source');
  return branches.length > 1 && branches[0] === 'source' && injection.features && !isUsed;
}

function sharedInputs(g: GraphBuilder): SharedInputs {
  const index = (name: string, length: string) => g.input(name, 'int32', [symbol(length)]);
  return {
    searches: once(() => ({ jobFrame: index('job_frame', 'jobs'), jobKeyframe: index('job_keyframe', 'jobs') })),
    blended: once(() => ({ leftJob: index('left_job', 'frames'), rightJob: index('right_job', 'frames') })),
    rightWeight: once(() => g.input('right_weight', 'float32', [symbol('frames')])),
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function selfAttention(
  g: GraphBuilder,
  normed: Value,
  block: SelfAttentionBlock,
  pass: Pass,
  shared: SharedInputs,
  isInjected: boolean,
): Value {
  const nearest = sourceTokens(g, normed, block, pass, shared);
  if (pass.attention === 'propagated') return propagated(g, block, pass, nearest, shared);
  const present = pass.branches.slice(-block.branches);
  const isExtended = pass.attention === 'extended';
  const rows = isExtended ? extended(g, normed, block, isInjected, present) : ownFrame(g, normed, block, isInjected);
  emitAttention(g, rows, block, pass, present);
  return rows;
}

/** Emits and searches the source's tokens. Returns the searched neighbours, int32 [jobs, length] within each keyframe. */
function sourceTokens(
  g: GraphBuilder,
  normed: Value,
  block: SelfAttentionBlock,
  { branches, correspondences, emits }: Pass,
  shared: SharedInputs,
): Value | null {
  const isSearched = correspondences === 'searched';
  if (!isSearched && !emits.sourceTokens) return null;
  const [source] = branches.length === 1 ? [normed] : ops.split(g, normed, 0, branches.length);
  if (source === undefined || branches[0] !== 'source') throw new TypeError(`${block.key}: no source branch.`);
  const { index, length, channels } = block;
  if (emits.sourceTokens) g.output(`source_tokens_out.${index}`, perPicture(g, unitLength(g, source), block));
  if (!isSearched) return null;
  const keyframes = g.input(`source_tokens.${index}`, 'float32', [symbol('keyframes'), length, channels]);
  const nearest = g.scope(`${block.key}.correspondences`, () =>
    nearestTokens(g, perPicture(g, source, block), keyframes, shared.searches(), length),
  );
  if (emits.correspondences) g.output(`nearest.${index}`, ops.cast(g, nearest, 'float32'));
  return nearest;
}

type Branches = readonly [Value, ...Value[]];

/** Rows per branch. With injection, queries and keys are the source's, computed once. */
function projectBranches(
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
function ownFrame(g: GraphBuilder, normed: Value, block: SelfAttentionBlock, isInjected: boolean): Value {
  if (!isInjected) return out(g, attend(g, queryKeyValue(g, normed, block), block), block);
  const projections = projectBranches(g, normed, block, isInjected);
  const count = projections.value.length;
  const pictures = mapRows(projections, (rows) => perPicture(g, ops.concat(g, repeated(rows, count), 0), block));
  return out(g, attend(g, pictures, block), block);
}

/** Rows of all branches, projected: the source's over its own frame, the edit's over the tokens of all frames. */
function extended(
  g: GraphBuilder,
  normed: Value,
  block: SelfAttentionBlock,
  isInjected: boolean,
  present: readonly Branch[],
): Value {
  const projections = projectBranches(g, normed, block, isInjected);
  const hasSource = present[0] === 'source';
  const edits = out(g, extendedAttention(g, projections, block, hasSource), block);
  if (!hasSource) return edits;
  const source = mapRows(projections, ([rows]) => perPicture(g, rows, block));
  return ops.concat(g, [out(g, attend(g, source, block), block), edits], 0);
}

/** Rows [M, C] of the edit's branches, each over the tokens of all keyframes. */
function extendedAttention(
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
    // Equal queries and keys have equal scores: they are computed once, with the branches' values side by side per head.
    const [q, k] = [query[0], key[0]].map((rows) => ops.reshape(g, rows, [1, -1, channels])) as [Value, Value];
    const count = values.length;
    const depth = channels / heads;
    const stacked = ops.reshape(g, ops.concat(g, values, 0), [count, -1, heads, depth]);
    const v = ops.reshape(g, ops.transpose(g, stacked, [1, 2, 0, 3]), [1, -1, count * channels]);
    const mixed = ops.reshape(g, attention(g, q, k, v, limits), [-1, heads, count, depth]);
    return asRows(g, ops.transpose(g, mixed, [2, 0, 1, 3]), block);
  });
}

/** One for all, or one for each. */
function repeated(rows: readonly Value[], count: number): readonly Value[] {
  return rows.length === count ? rows : Array<Value>(count).fill(rows[0] as Value);
}

function emitAttention(
  g: GraphBuilder,
  rows: Value,
  block: SelfAttentionBlock,
  { emits }: Pass,
  present: readonly Branch[],
): void {
  if (emits.attention.length === 0) return;
  const parts = present.length === 1 ? [rows] : ops.split(g, rows, 0, present.length);
  const wanted = emits.attention.map((branch) => parts[present.indexOf(branch)]);
  if (wanted.some((part) => part === undefined)) throw new TypeError(`${block.key}: a branch to emit is missing.`);
  const emitted = wanted.length === present.length ? rows : ops.concat(g, wanted as Value[], 0);
  const dims = [wanted.length, -1, block.length, block.channels];
  g.output(`attention_out.${block.index}`, ops.reshape(g, emitted, dims));
}

/** Each token takes the attention's output of its nearest neighbours in two keyframes, blended by distance. */
function propagated(
  g: GraphBuilder,
  block: SelfAttentionBlock,
  { branches, correspondences }: Pass,
  nearest: Value | null,
  shared: SharedInputs,
): Value {
  const { index, length, channels } = block;
  const dims = [branches.length, symbol('keyframes'), length, channels];
  const tokens = g.input(`attention.${index}`, 'float32', dims);
  const positions = (): readonly [Value, Value] => {
    if (correspondences === 'given') {
      const given = (side: string) => g.input(`${side}.${index}`, 'int32', [symbol('frames'), length]);
      return [given('left'), given('right')];
    }
    if (nearest === null) throw new TypeError(`${block.key}: no correspondences.`);
    const found = offsetByKeyframe(g, nearest, shared.searches(), length);
    const { leftJob, rightJob } = shared.blended();
    return [ops.gather(g, found, leftJob, 0), ops.gather(g, found, rightJob, 0)];
  };
  return g.scope(`${block.key}.propagation`, () => {
    const [left, right] = positions();
    const flat = ops.cast(g, ops.reshape(g, tokens, [branches.length, -1, channels]), g.float);
    const from = ops.gather(g, flat, left, 1);
    const weight = ops.cast(g, ops.reshape(g, shared.rightWeight(), [-1, 1, 1]), g.float);
    const step = ops.mul(g, ops.sub(g, ops.gather(g, flat, right, 1), from), weight);
    return asRows(g, ops.add(g, from, step), block);
  });
}
