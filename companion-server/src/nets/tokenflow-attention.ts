// The self-attention of the three passes of TokenFlow (arXiv 2307.10373, section 4), as variants of the UNet.
// Branches are always in the order source, negative, target; a batch holds them one after the other.

import type { GraphBuilder } from '../onnx/builder.ts';
import { symbol } from '../onnx/dims.ts';
import type { Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import { attention, project } from './attention.ts';
import { correspondences } from './correspondences.ts';
import { injectedAttention, injectedResnet, type Injection } from './injection-points.ts';
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
import type { SelfAttentionBlock, UNetVariant } from './unet.ts';

export const branchCount = 3;

/** Most keyframes that one joint pass may hold; bounds the chunks of the plain attention. */
export const maxJointKeyframes = 16;

const sharesConvolution = (injection: Injection) => (key: string) => injection.features && key === injectedResnet;

/** Ordinary self-attention, one branch: what the checkpoint was trained with. */
export const plainVariant: UNetVariant = {
  branches: 1,
  selfAttention: (g, normed, block) => out(g, attend(g, queryKeyValue(g, normed, block), block), block),
  sharesConvolution: () => false,
};

/** Plug-and-Play on single frames: each attends to itself, the edit branches with the source's queries and keys. */
export function perFrameVariant(injection: Injection): UNetVariant {
  return {
    branches: branchCount,
    selfAttention: (g, normed, block) => {
      const { query, key, value } = branchProjections(g, normed, block, injection);
      const pictures = (rows: readonly Value[]) => perPicture(g, ops.concat(g, rows, 0), block);
      const mixed = attend(g, { query: pictures(query), key: pictures(key), value: pictures(value) }, block);
      return out(g, mixed, block);
    },
    sharesConvolution: sharesConvolution(injection),
  };
}

/**
 * The keyframe pass: edit branches attend to the tokens of all keyframes at once (extended attention), the source
 * branch to its own frame. Adds the outputs `source.{i}` [K, length, C], the source's normalised tokens with unit
 * length, and `tokens.{i}` [3, K, length, C], the attention's output, for every block i.
 */
export function keyframeVariant(injection: Injection): UNetVariant {
  return {
    branches: branchCount,
    selfAttention: (g, normed, block) => {
      const { query, key, value } = branchProjections(g, normed, block, injection);
      const [source] = ops.split(g, normed, 0, branchCount);
      const own = attend(
        g,
        mapRows({ query, key, value }, ([rows]) => perPicture(g, rows, block)),
        block,
      );
      const extended = mapRows({ query, key, value }, ([, ...edits]) =>
        ops.reshape(g, ops.concat(g, edits, 0), [branchCount - 1, -1, block.channels]),
      );
      const length = maxJointKeyframes * block.length;
      const joint = g.scope(block.key, () =>
        attention(g, extended.query, extended.key, extended.value, {
          heads: block.heads,
          queries: length,
          keys: length,
          chunkUnit: block.length,
          upcast: block.upcast,
        }),
      );
      const rows = ops.concat(g, [asRows(g, own, block), asRows(g, joint, block)], 0);
      const result = out(g, rows, block);
      if (source === undefined) throw new TypeError(`${block.key}: no source branch.`);
      g.output(`source.${block.index}`, perPicture(g, unitLength(g, source), block));
      g.output(`tokens.${block.index}`, ops.reshape(g, result, [branchCount, -1, block.length, block.channels]));
      return result;
    },
    sharesConvolution: sharesConvolution(injection),
  };
}

/** Inputs of the propagation pass that say which keyframe serves which frame; made by tokenflow/propagation.ts. */
export interface PropagationInputs {
  /** int32 [jobs]: the frame (within the chunk) and the keyframe (within the given ones) of each search. */
  readonly jobFrame: Value;
  readonly jobKeyframe: Value;
  /** int32 [frames]: the searches whose results are blended for each frame. */
  readonly leftJob: Value;
  readonly rightJob: Value;
  /** float32 [frames]: share of the right one, 0..1. */
  readonly rightWeight: Value;
}

export function propagationInputs(g: GraphBuilder): PropagationInputs {
  const index = (name: string, length: string) => g.input(name, 'int32', [symbol(length)]);
  return {
    jobFrame: index('job_frame', 'jobs'),
    jobKeyframe: index('job_keyframe', 'jobs'),
    leftJob: index('left_job', 'frames'),
    rightJob: index('right_job', 'frames'),
    rightWeight: g.input('right_weight', 'float32', [symbol('frames')]),
  };
}

/**
 * The pass over all frames: no self-attention is computed. Each token takes the attention output of its nearest
 * neighbours in two keyframes, blended by distance (section 4.2). Adds the inputs `source.{i}` and `tokens.{i}`
 * that the keyframe pass returned.
 */
export function propagationVariant(injection: Injection, plan: PropagationInputs): UNetVariant {
  return {
    branches: branchCount,
    selfAttention: (g, normed, block) => {
      const { index, length, channels } = block;
      const keyframes = symbol('keyframes');
      const keySource = g.input(`source.${index}`, 'float32', [keyframes, length, channels]);
      const keyTokens = g.input(`tokens.${index}`, 'float32', [branchCount, keyframes, length, channels]);
      const [source] = ops.split(g, normed, 0, branchCount);
      if (source === undefined) throw new TypeError(`${block.key}: no source branch.`);
      return g.scope(`${block.key}.propagation`, () => {
        const nearest = correspondences(g, perPicture(g, source, block), keySource, plan, length);
        const flat = ops.cast(g, ops.reshape(g, keyTokens, [branchCount, -1, channels]), g.float);
        const taken = (job: Value) => ops.gather(g, flat, ops.gather(g, nearest, job, 0), 1);
        const left = taken(plan.leftJob);
        const weight = ops.cast(g, ops.reshape(g, plan.rightWeight, [-1, 1, 1]), g.float);
        const step = ops.mul(g, ops.sub(g, taken(plan.rightJob), left), weight);
        return asRows(g, ops.add(g, left, step), block);
      });
    },
    sharesConvolution: sharesConvolution(injection),
  };
}

/** Rows per branch. Under injection the edit branches reuse the source's queries and keys, which are made once. */
function branchProjections(
  g: GraphBuilder,
  normed: Value,
  block: SelfAttentionBlock,
  injection: Injection,
): Projections<readonly [Value, ...Value[]]> {
  const isInjected = injection.attention && injectedAttention.test(block.key);
  const [source] = ops.split(g, normed, 0, branchCount);
  const branches = (name: string, isShared: boolean): readonly [Value, ...Value[]] => {
    const key = `${block.key}.${name}`;
    if (isShared && source !== undefined) {
      const rows = project(g, source, key, block.channels);
      return [rows, rows, rows];
    }
    const [first, ...others] = ops.split(g, project(g, normed, key, block.channels), 0, branchCount);
    if (first === undefined) throw new TypeError(`${key}: no source branch.`);
    return [first, ...others];
  };
  return {
    query: branches('to_q', isInjected),
    key: branches('to_k', isInjected),
    value: branches('to_v', false),
  };
}
