// The graph of a pass: a denoising network whose self-attention is replaced as the pass requires.

import { GraphBuilder, type GraphOptions } from '../onnx/builder.ts';
import { symbol } from '../onnx/dims.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import type { BuiltNetwork, DenoisingNetwork, LatentSize } from './denoising-network.ts';
import { passHooks } from './pass-hooks.ts';
import { predictedBranchesOf, type Pass } from './pass.ts';

/**
 * The tokens that enter and leave the blocks named here (checkpoint keys of transformer blocks) become the further
 * outputs `in.{key}` and `out.{key}` [branches*frames*length, C]: to compare with another implementation.
 */
export type ObservedBlocks = readonly string[];

/**
 * Inputs: `latents.source` and `latents.edited` [frames, C, h, w], as far as the pass has such branches; those of the
 * network, which `DenoisingNetwork.feeds` fills; and those of passHooks. Outputs: `prediction.{branch}` [frames, C, h, w] of
 * the branches of predictedBranchesOf, and those of passHooks. What no output needs is not computed.
 */
export function buildPassGraph(
  network: DenoisingNetwork,
  size: LatentSize,
  pass: Pass,
  options: GraphOptions,
  observed: ObservedBlocks = [],
): Graph {
  const g = new GraphBuilder(options);
  const latents = branchLatents(g, network, size, pass);
  const hooks = {
    ...passHooks(pass, g, network.injectionPoints),
    observe: (builder: GraphBuilder, key: string, entering: Value, leaving: Value) => {
      if (!observed.includes(key)) return;
      builder.output(`in.${key}`, entering);
      builder.output(`out.${key}`, leaving);
    },
  };
  outputPredictions(g, network.build(g, latents, hooks), pass);
  return g.finish();
}

/** [branches*frames, C, h, w]: the edit's branches see the same latents and differ in the text. */
function branchLatents(
  g: GraphBuilder,
  { latentChannels }: DenoisingNetwork,
  size: LatentSize,
  { branches }: Pass,
): Value {
  const dims = [symbol('frames'), latentChannels, size.height, size.width];
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

function outputPredictions(g: GraphBuilder, { prediction, branches }: BuiltNetwork, pass: Pass): void {
  const left = pass.branches.slice(-branches);
  const parts = left.length === 1 ? [prediction] : ops.split(g, prediction, 0, left.length);
  for (const branch of predictedBranchesOf(pass)) {
    const part = parts[left.indexOf(branch)];
    if (part === undefined) throw new TypeError(`The pass has no branch ${branch}.`);
    g.output(`prediction.${branch}`, part);
  }
}
