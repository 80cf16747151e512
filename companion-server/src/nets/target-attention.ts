// The passes of an edit whose source was recorded: keyframes together, and all other frames by what was recorded of
// them. Branches are in the order source, negative, target; only those that are needed are there.

import type { GraphBuilder } from '../onnx/builder.ts';
import { symbol } from '../onnx/dims.ts';
import type { Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import { attention, project } from './attention.ts';
import { injectedAttention, injectedResnet, type Injection } from './injection-points.ts';
import { asRows, attend, mapRows, out, perPicture, type Projections } from './self-attention.ts';
import { maxJointKeyframes } from './tokenflow-attention.ts';
import type { SelfAttentionBlock, UNetVariant } from './unet.ts';

export interface JointPass {
  readonly injection: Injection;
  /** Whether the negative prompt has a branch. */
  readonly guided: boolean;
}

/** The source takes part only where something of it is injected. */
export function jointBranches({ injection, guided }: JointPass): number {
  return (needsSource(injection) ? 1 : 0) + editBranches(guided);
}

export function editBranches(guided: boolean): number {
  return guided ? 2 : 1;
}

export function needsSource({ attention: queries, features }: Injection): boolean {
  return queries || features;
}

/**
 * The keyframe pass: edit branches attend to the tokens of all keyframes at once (section 4.1), the source branch to its
 * own frame. Adds the output `tokens.{i}` [E, K, length, C], the attention's output in the E edit branches.
 */
export function jointVariant(pass: JointPass): UNetVariant {
  const { injection, guided } = pass;
  const edits = editBranches(guided);
  return {
    branches: jointBranches(pass),
    selfAttention: (g, normed, block) => {
      const hasSource = block.branches > edits;
      const { query, key, value } = projections(g, normed, block, injection);
      const joint = extendedAttention(g, { query, key, value }, block, hasSource);
      const tokens = out(g, joint, block);
      g.output(`tokens.${block.index}`, ops.reshape(g, tokens, [edits, -1, block.length, block.channels]));
      if (!hasSource) return tokens;
      const own = mapRows({ query, key, value }, ([rows]) => perPicture(g, rows, block));
      return ops.concat(g, [out(g, attend(g, own, block), block), tokens], 0);
    },
    sharesConvolution: (key) => injection.features && key === injectedResnet,
    // Behind the injected features nothing of the source is used, unless its queries and keys are.
    ...(injection.features && !injection.attention ? { leavesSourceAfter: injectedResnet } : {}),
  };
}

/** What the propagation pass takes beside latents, time and context. */
export interface CarriedInputs {
  /** float32 [frames]: share of the right keyframe, 0..1. */
  readonly rightWeight: Value;
}

export function carriedInputs(g: GraphBuilder): CarriedInputs {
  return { rightWeight: g.input('right_weight', 'float32', [symbol('frames')]) };
}

/**
 * The pass over the other frames: no self-attention and no search. Each token takes the attention output of its recorded
 * nearest neighbours in two keyframes, blended by distance (section 4.2). Adds the inputs `tokens.{i}` [E, K, length, C]
 * and `left.{i}`, `right.{i}` int32 [frames, length], positions in all keyframes' tokens.
 *
 * Plug-and-Play's features are not injected here: they reach the frames through their keyframes' tokens, and injecting
 * them again was measured to change nothing.
 */
export function carriedVariant({ rightWeight }: CarriedInputs, { guided }: { readonly guided: boolean }): UNetVariant {
  const edits = editBranches(guided);
  return {
    branches: edits,
    selfAttention: (g, _, block) => {
      const { index, length, channels } = block;
      const tokens = g.input(`tokens.${index}`, 'float32', [edits, symbol('keyframes'), length, channels]);
      const positions = (side: string) => g.input(`${side}.${index}`, 'int32', [symbol('frames'), length]);
      const [left, right] = [positions('left'), positions('right')];
      return g.scope(`${block.key}.propagation`, () => {
        const flat = ops.cast(g, ops.reshape(g, tokens, [edits, -1, channels]), g.float);
        const from = ops.gather(g, flat, left, 1);
        const weight = ops.cast(g, ops.reshape(g, rightWeight, [-1, 1, 1]), g.float);
        const step = ops.mul(g, ops.sub(g, ops.gather(g, flat, right, 1), from), weight);
        return asRows(g, ops.add(g, from, step), block);
      });
    },
    sharesConvolution: () => false,
  };
}

type Branches = readonly [Value, ...Value[]];

/** Rows per branch. Under injection queries and keys are the source's, which are made once. */
function projections(
  g: GraphBuilder,
  normed: Value,
  block: SelfAttentionBlock,
  injection: Injection,
): Projections<Branches> {
  const isInjected = injection.attention && injectedAttention.test(block.key);
  const branches = (name: string, isShared: boolean): Branches => {
    const split = (rows: Value, count: number): Branches => {
      const [first, ...others] = ops.split(g, rows, 0, count);
      if (first === undefined) throw new TypeError(`${block.key}: no branch.`);
      return [first, ...others];
    };
    const key = `${block.key}.${name}`;
    if (!isShared) return split(project(g, normed, key, block.channels), block.branches);
    const [source] = split(normed, block.branches);
    return [project(g, source, key, block.channels)];
  };
  return {
    query: branches('to_q', isInjected),
    key: branches('to_k', isInjected),
    value: branches('to_v', false),
  };
}

/** Rows [M, C] of the edit branches, each over the tokens of all keyframes. */
function extendedAttention(
  g: GraphBuilder,
  { query, key, value }: Projections<Branches>,
  block: SelfAttentionBlock,
  hasSource: boolean,
): Value {
  const length = maxJointKeyframes * block.length;
  const { heads, upcast, channels } = block;
  const limits = { heads, upcast, queries: length, keys: length, chunkUnit: block.length };
  const edits = (rows: Branches) => (hasSource && rows.length > 1 ? rows.slice(1) : rows);
  const values = edits(value);
  return g.scope(block.key, () => {
    if (query.length > 1 || values.length === 1 || !g.fused.wideValues) {
      const together = (rows: readonly Value[]) => {
        const all = rows.length === values.length ? rows : values.map(() => rows[0] as Value);
        return ops.reshape(g, ops.concat(g, all, 0), [values.length, -1, channels]);
      };
      const [q, k, v] = [edits(query), edits(key), values].map(together) as [Value, Value, Value];
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
