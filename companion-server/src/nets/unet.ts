// UNet2DConditionModel as diffusers calls it, with text by cross-attention: its way up and its output. The rest of it is in
// unet-blocks.ts.

import type { GraphBuilder } from '../onnx/builder.ts';
import type { Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import type { BuiltNetwork, PassHooks } from './denoising-network.ts';
import { conv2d, groupNorm, silu, spatial } from './layers.ts';
import { UNetBlocks, type EncodedLatents, type UNetConfig, type UNetInputs } from './unet-blocks.ts';

/** Records the whole network. */
export function buildUNet(g: GraphBuilder, config: UNetConfig, inputs: UNetInputs, hooks: PassHooks): BuiltNetwork {
  const blocks = new UNetBlocks(g, config, inputs, hooks);
  const x = decode(g, config, blocks, controlled(g, blocks.encode(blocks.entry()), hooks), hooks);
  const normed = groupNorm(g, x, 'conv_norm_out', blocks.resnetNorm());
  const prediction = conv2d(g, silu(g, normed), 'conv_out', config.latentChannels);
  return { prediction, branches: blocks.branches };
}

/** ControlNets change what the way up begins with (arXiv 2302.05543, section 3.2). */
function controlled(g: GraphBuilder, { skips, middle }: EncodedLatents, hooks: PassHooks): EncodedLatents {
  const add = (value: Value, index: number) => hooks.residual?.(g, value, index) ?? value;
  return { skips: skips.map((skip, i) => add(skip, i)), middle: add(middle, skips.length) };
}

function decode(
  g: GraphBuilder,
  { blockChannels, layersPerBlock, transformerDepths }: UNetConfig,
  blocks: UNetBlocks,
  { skips, middle }: EncodedLatents,
  { leavesSourceAfter }: PassHooks,
): Value {
  const levels = blockChannels.length;
  const left = [...skips];
  let x = middle;
  blockChannels.toReversed().forEach((count, position) => {
    const block = `up_blocks.${position}`;
    const level = levels - 1 - position;
    for (let layer = 0; layer <= layersPerBlock; layer++) {
      const skip = left.pop();
      if (skip === undefined) throw new TypeError(`${block}: no skip connection left.`);
      const resnet = `${block}.resnets.${layer}`;
      x = blocks.resnet(ops.concat(g, [x, skip], 1), resnet, count);
      if (resnet === leavesSourceAfter) {
        const [own, ...others] = blocks.leaveSource([x, ...left]);
        x = own as Value;
        left.splice(0, left.length, ...others);
      }
      x = blocks.transformer(x, `${block}.attentions.${layer}`, level, transformerDepths.up[position]?.[layer]);
    }
    const next = left.at(-1);
    if (position < levels - 1 && next !== undefined) {
      x = conv2d(g, upsampleTo(g, x, spatial(next)), `${block}.upsamplers.0.conv`, count);
    }
  });
  return x;
}

/** Nearest-neighbour enlargement to the size of the skip connection, which is 2x or one row or column less. */
function upsampleTo(g: GraphBuilder, x: Value, size: { height: number; width: number }): Value {
  const doubled = ops.resizeNearest2x(g, x);
  return ops.slice(g, ops.slice(g, doubled, 2, 0, size.height), 3, 0, size.width);
}
