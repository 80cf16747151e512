// The graph of a pass: the UNet with what the pass puts in the place of its self-attention.

import { GraphBuilder, type GraphOptions } from '../onnx/builder.ts';
import { symbol } from '../onnx/dims.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import { passVariant } from './pass-attention.ts';
import { predictedBranchesOf, type Pass } from './pass.ts';
import type { UNetConfig } from './unet-config.ts';
import { buildUNet } from './unet.ts';

/** Of the latents. */
export interface LatentSize {
  readonly height: number;
  readonly width: number;
}

/**
 * The tokens that enter and leave the blocks named here (checkpoint keys of transformer blocks) become the further
 * outputs `in.{key}` and `out.{key}` [branches*frames*length, C]: to compare with another implementation.
 */
export type ObservedBlocks = readonly string[];

/**
 * Inputs: `latents.source` and `latents.edited` [frames, C, h, w], as far as the pass has such branches; `time_features`
 * [1, C0]; `context` [branches, tokens, D]; and those of passVariant. Outputs: `prediction.{branch}` [frames, C, h, w] of
 * the branches of predictedBranchesOf, and those of passVariant. What no output needs is not computed.
 */
export function buildPassUNet(
  config: UNetConfig,
  size: LatentSize,
  pass: Pass,
  options: GraphOptions,
  observed: ObservedBlocks = [],
): Graph {
  const g = new GraphBuilder(options);
  const latents = branchLatents(g, config, size, pass);
  const timeFeatures = ops.cast(g, g.input('time_features', 'float32', [1, config.blockChannels[0] ?? 0]), g.float);
  const contextDims = [pass.branches.length, symbol('tokens'), config.crossAttentionDim];
  const context = ops.cast(g, g.input('context', 'float32', contextDims), g.float);
  const variant = {
    ...passVariant(pass, g),
    observe: (builder: GraphBuilder, key: string, entering: Value, leaving: Value) => {
      if (!observed.includes(key)) return;
      builder.output(`in.${key}`, entering);
      builder.output(`out.${key}`, leaving);
    },
  };
  const prediction = buildUNet(g, config, { latents, timeFeatures, context }, variant);
  outputPredictions(g, prediction, pass, variant.leavesSourceAfter !== undefined);
  return g.finish();
}

/** [branches*frames, C, h, w]: the edit's branches see the same latents and differ in the text. */
function branchLatents(g: GraphBuilder, config: UNetConfig, size: LatentSize, { branches }: Pass): Value {
  const dims = [symbol('frames'), config.latentChannels, size.height, size.width];
  const named = new Map<string, Value>();
  for (const name of branches.map(latentsOf)) {
    if (!named.has(name)) named.set(name, ops.cast(g, g.input(name, 'float32', dims), g.float));
  }
  const parts = branches.map((branch) => named.get(latentsOf(branch)) as Value);
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : ops.concat(g, parts, 0);
}

function latentsOf(branch: Pass['branches'][number]): string {
  return branch === 'source' ? 'latents.source' : 'latents.edited';
}

function outputPredictions(g: GraphBuilder, prediction: Value, pass: Pass, isSourceGone: boolean): void {
  const left = isSourceGone ? pass.branches.slice(1) : pass.branches;
  const parts = left.length === 1 ? [prediction] : ops.split(g, prediction, 0, left.length);
  for (const branch of predictedBranchesOf(pass)) {
    const part = parts[left.indexOf(branch)];
    if (part === undefined) throw new TypeError(`The pass has no branch ${branch}.`);
    g.output(`prediction.${branch}`, part);
  }
}
