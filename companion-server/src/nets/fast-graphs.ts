// The graphs of an edit whose source is recorded once, each the same UNet with another self-attention.

import { GraphBuilder, type GraphOptions } from '../onnx/builder.ts';
import { symbol } from '../onnx/dims.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import { recordFramesVariant, recordKeyframesVariant } from './recording-attention.ts';
import {
  carriedInputs,
  carriedVariant,
  editBranches,
  jointBranches,
  jointVariant,
  needsSource,
  type JointPass,
} from './target-attention.ts';
import type { UNetConfig } from './unet-config.ts';
import { latentInput, network, type LatentSize } from './unet-graphs.ts';

/** Inputs and outputs as buildPlainUNet; adds the outputs `source.{i}` [frames, length, C] per transformer block i. */
export function buildRecordKeyframesUNet(config: UNetConfig, size: LatentSize, options: GraphOptions): Graph {
  const g = new GraphBuilder(options);
  const latents = latentInput(g, 'latents', config, size);
  g.output('prediction', network(g, config, latents, recordKeyframesVariant));
  return g.finish();
}

/**
 * Inputs: as buildPlainUNet, the keyframes' `source.{i}`, and int32 [jobs] `job_frame`, `job_keyframe`.
 * Outputs: `prediction` [frames, C, h, w], `nearest.{i}` [jobs, length].
 */
export function buildRecordFramesUNet(config: UNetConfig, size: LatentSize, options: GraphOptions): Graph {
  const g = new GraphBuilder(options);
  const index = (name: string) => g.input(name, 'int32', [symbol('jobs')]);
  const searches = { jobFrame: index('job_frame'), jobKeyframe: index('job_keyframe') };
  const latents = latentInput(g, 'latents', config, size);
  const variant = recordFramesVariant(searches);
  g.output('prediction', network(g, config, latents, variant));
  return g.finish();
}

/**
 * Inputs: `edited` [K, C, h, w], with injection `source` as well, `time_features`, `context` [branches, tokens, D].
 * Outputs: `tokens.{i}` [E, K, length, C] per transformer block i, `target` and, if guided, `negative` [K, C, h, w].
 */
export function buildJointUNet(config: UNetConfig, size: LatentSize, pass: JointPass, options: GraphOptions): Graph {
  const g = new GraphBuilder(options);
  const { injection, guided } = pass;
  const source = needsSource(injection) ? [latentInput(g, 'source', config, size)] : [];
  const edited = latentInput(g, 'edited', config, size);
  const latents = [...source, ...Array<Value>(editBranches(guided)).fill(edited)];
  const prediction = network(g, config, ops.concat(g, latents, 0), jointVariant(pass));
  const isSourceLeft = injection.attention;
  const parts = ops.split(g, prediction, 0, isSourceLeft ? jointBranches(pass) : editBranches(guided));
  outputBranches(g, isSourceLeft ? parts.slice(1) : parts);
  return g.finish();
}

/**
 * Inputs: `edited` [frames, C, h, w], `time_features`, `context` [E, tokens, D], `right_weight` [frames], and those of
 * carriedVariant. Outputs: `target` and, if guided, `negative` [frames, C, h, w].
 */
export function buildCarriedUNet(
  config: UNetConfig,
  size: LatentSize,
  pass: { readonly guided: boolean },
  options: GraphOptions,
): Graph {
  const g = new GraphBuilder(options);
  const edited = latentInput(g, 'edited', config, size);
  const edits = editBranches(pass.guided);
  const latents = ops.concat(g, Array<Value>(edits).fill(edited), 0);
  const variant = carriedVariant(carriedInputs(g), pass);
  outputBranches(g, ops.split(g, network(g, config, latents, variant), 0, edits));
  return g.finish();
}

/** [target] or [negative, target] */
function outputBranches(g: GraphBuilder, branches: readonly Value[]): void {
  const [target, negative] = branches.toReversed();
  if (target === undefined) throw new TypeError('There is no edit branch.');
  if (negative !== undefined) g.output('negative', negative);
  g.output('target', target);
}
