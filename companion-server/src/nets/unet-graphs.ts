// The graphs of an edit that computes the source's branch at every step, each the same UNet with another self-attention.

import { GraphBuilder, type GraphOptions } from '../onnx/builder.ts';
import { symbol } from '../onnx/dims.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import type { Injection } from './injection-points.ts';
import {
  branchCount,
  keyframeVariant,
  perFrameVariant,
  plainVariant,
  propagationInputs,
  propagationVariant,
} from './tokenflow-attention.ts';
import type { UNetConfig } from './unet-config.ts';
import { buildUNet, type UNetVariant } from './unet.ts';

/** Of the latents. */
export interface LatentSize {
  readonly height: number;
  readonly width: number;
}

/**
 * Inputs: `latents` [frames, C, h, w], `time_features` [1, C0], `context` [1, tokens, D].
 * Outputs: `prediction` [frames, C, h, w].
 */
export function buildPlainUNet(config: UNetConfig, size: LatentSize, options: GraphOptions): Graph {
  const g = new GraphBuilder(options);
  const latents = latentInput(g, 'latents', config, size);
  g.output('prediction', network(g, config, latents, plainVariant));
  return g.finish();
}

/**
 * Inputs: `source`, `edited` [frames, C, h, w], `time_features`, `context` [3, tokens, D].
 * Outputs: `negative`, `target` [frames, C, h, w].
 */
export function buildPerFrameUNet(
  config: UNetConfig,
  size: LatentSize,
  injection: Injection,
  options: GraphOptions,
): Graph {
  const g = new GraphBuilder(options);
  outputEdits(g, network(g, config, branchLatents(g, config, size), perFrameVariant(injection)));
  return g.finish();
}

/**
 * The tokens that enter and leave the blocks named here (checkpoint keys of transformer blocks) become the further
 * outputs `in.{key}` and `out.{key}` [3*frames*length, C]: to compare with another implementation.
 */
export type ObservedBlocks = readonly string[];

/**
 * Inputs: as buildPerFrameUNet, for the K keyframes.
 * Outputs per transformer block i: `source.{i}` [K, length, C], `tokens.{i}` [3, K, length, C].
 * What follows the last block is not computed.
 */
export function buildKeyframeUNet(
  config: UNetConfig,
  size: LatentSize,
  injection: Injection,
  options: GraphOptions,
  observed: ObservedBlocks = [],
): Graph {
  const g = new GraphBuilder(options);
  const variant = observing(keyframeVariant(injection), observed);
  network(g, config, branchLatents(g, config, size), variant);
  return g.finish();
}

/**
 * Inputs: as buildPerFrameUNet, the keyframe pass's outputs, and the plan (`job_frame`, `job_keyframe`, `left_job`,
 * `right_job`, `right_weight`). Outputs: `negative`, `target` [frames, C, h, w].
 */
export function buildPropagationUNet(
  config: UNetConfig,
  size: LatentSize,
  injection: Injection,
  options: GraphOptions,
  observed: ObservedBlocks = [],
): Graph {
  const g = new GraphBuilder(options);
  const latents = branchLatents(g, config, size);
  const variant = observing(propagationVariant(injection, propagationInputs(g)), observed);
  outputEdits(g, network(g, config, latents, variant));
  return g.finish();
}

function observing(variant: UNetVariant, observed: ObservedBlocks): UNetVariant {
  return {
    ...variant,
    observe: (g, key, entering, leaving) => {
      if (!observed.includes(key)) return;
      g.output(`in.${key}`, entering);
      g.output(`out.${key}`, leaving);
    },
  };
}

/** The whole network over `latents` [branches*frames, C, h, w] with the inputs `time_features` and `context`. */
export function network(g: GraphBuilder, config: UNetConfig, latents: Value, variant: UNetVariant): Value {
  const timeWidth = config.blockChannels[0] ?? 0;
  const timeFeatures = ops.cast(g, g.input('time_features', 'float32', [1, timeWidth]), g.float);
  const context = g.input('context', 'float32', [variant.branches, symbol('tokens'), config.crossAttentionDim]);
  return buildUNet(g, config, { latents, timeFeatures, context: ops.cast(g, context, g.float) }, variant);
}

/** An input [frames, C, h, w] in the type of the graph. */
export function latentInput(g: GraphBuilder, name: string, config: UNetConfig, size: LatentSize): Value {
  const dims = [symbol('frames'), config.latentChannels, size.height, size.width];
  return ops.cast(g, g.input(name, 'float32', dims), g.float);
}

/** source | edited | edited: both edit branches see the same latents and differ in the text. */
function branchLatents(g: GraphBuilder, config: UNetConfig, size: LatentSize): Value {
  const source = latentInput(g, 'source', config, size);
  const edited = latentInput(g, 'edited', config, size);
  return ops.concat(g, [source, edited, edited], 0);
}

function outputEdits(g: GraphBuilder, prediction: Value): void {
  const [, negative, target] = ops.split(g, prediction, 0, branchCount);
  if (negative === undefined || target === undefined) throw new TypeError('no edit branches');
  g.output('negative', negative);
  g.output('target', target);
}
