// What stands in the place of the UNet's self-attention in each kind of pass (arXiv 2307.10373, section 4).

import type { GraphBuilder } from '../onnx/builder.ts';
import { symbol } from '../onnx/dims.ts';
import type { Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import { nearestTokens } from './correspondence-search.ts';
import type { InjectionPoints, PassHooks, SelfAttentionBlock } from './denoising-network.ts';
import { extendedAttention } from './extended-attention.ts';
import type { Branch, Pass } from './pass.ts';
import { ownAttention, perPicture, unitLength } from './self-attention.ts';
import { sharedInputs, type SharedInputs } from './shared-inputs.ts';
import { propagateTokens } from './token-propagation.ts';
import { wordAttention } from './word-attention.ts';

/**
 * What the pass puts into the network. Beside latents, time and conditioning the graph has, per transformer block i of `length` tokens of
 * `C` channels:
 *
 * - to search: inputs `source_tokens.{i}` [keyframes, length, C] of unit length, and int32 [jobs] `job_frame`, `job_keyframe`;
 * - to propagate: inputs `attention.{i}` [branches, keyframes, length, C] and `right_weight` [frames]; with given
 *   correspondences int32 [frames, length] `left.{i}`, `right.{i}`, positions in all keyframes' tokens, else int32 [frames]
 *   `left_job`, `right_job`;
 * - of controlled branches: inputs `residual.{branch}.{i}` [frames, C, h, w] per skip connection i, finest first, and of the
 *   middle block behind them;
 * - as the pass emits them: outputs `source_tokens_out.{i}` [frames, length, C], `attention_out.{i}` [emitted branches,
 *   frames, length, C], `nearest.{i}` [jobs, length], counted within each keyframe, and `words_out.{i}` [frames, length], for
 *   which the input `words` [tokens, 1] weighs the tokens of the source's prompt.
 */
export function passHooks(pass: Pass, g: GraphBuilder, points: InjectionPoints): PassHooks {
  const shared = sharedInputs(g);
  const isInjected = ({ key }: SelfAttentionBlock) => pass.injection.attention && points.attention.test(key);
  const leavesSource = canLeaveSource(pass);
  const { controlled = [], emits } = pass;
  return {
    branches: pass.branches.length,
    selfAttention: (builder, normed, block) => selfAttention(builder, normed, block, pass, shared, isInjected(block)),
    sharesConvolution: (key) => pass.injection.features && key === points.features,
    ...(emits.words === true && { promptAttention: wordAttention(g) }),
    ...(controlled.length > 0 && { residual: (...value) => addResidual(...value, pass.branches, controlled) }),
    ...(leavesSource ? { leavesSourceAfter: points.features } : {}),
  };
}

/** value [branches*frames, C, H, W] */
function addResidual(
  g: GraphBuilder,
  value: Value,
  index: number,
  branches: readonly Branch[],
  controlled: readonly Branch[],
): Value {
  const parts = branches.length === 1 ? [value] : ops.split(g, value, 0, branches.length);
  const changed = parts.map((part, i) => {
    const branch = branches[i];
    if (branch === undefined || !controlled.includes(branch)) return part;
    const dims = [symbol('frames'), ...part.dims.slice(1)];
    return ops.add(g, part, ops.cast(g, g.input(`residual.${branch}.${index}`, 'float32', dims), g.float));
  });
  return branches.length === 1 ? (changed[0] as Value) : ops.concat(g, changed, 0);
}

/** Whether nothing of the source is used behind the injected features. */
function canLeaveSource({ branches, correspondences, injection, emits }: Pass): boolean {
  const isUsed =
    injection.attention || correspondences === 'searched' || emits.sourceTokens || emits.attention.includes('source');
  return branches.length > 1 && branches[0] === 'source' && injection.features && !isUsed;
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
  if (pass.attention === 'propagated') return propagateTokens(g, block, pass, nearest, shared);
  const present = pass.branches.slice(-block.branches);
  const isExtended = pass.attention === 'extended';
  const rows = isExtended
    ? extendedAttention(g, normed, block, isInjected, present)
    : ownAttention(g, normed, block, isInjected);
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
