// The shape of the UNet that its config describes. Numbers are compared with the reference in test/golden.

import { expect, it } from 'vitest';
import { WeightRecorder } from '../../../test/weight-recorder.ts';
import { symbol } from '../onnx/dims.ts';
import type { PassHooks, SelfAttentionBlock } from './denoising-network.ts';
import { passHooks } from './pass-hooks.ts';
import { plainPass } from './pass.ts';
import { tokensPerBlock } from './token-counts.ts';
import { evenDepths } from './transformer-depths.ts';
import { buildUNet } from './unet.ts';
import type { UNetConfig } from './unet-blocks.ts';

const size = { height: 6, width: 10 };
const even: UNetConfig = {
  latentChannels: 4,
  blockChannels: [8, 16],
  transformerDepths: evenDepths(
    [
      { hasAttention: false, depth: 1 },
      { hasAttention: true, depth: 3 },
    ],
    1,
  ),
  heads: [2, 2],
  layersPerBlock: 1,
  crossAttentionDim: 12,
  normGroups: 4,
  normEpsilon: 1e-5,
  upcastAttention: false,
  flipSinToCos: true,
  frequencyShift: 0,
  sampleSize: 64,
};

function build(config: UNetConfig = even) {
  const g = new WeightRecorder();
  const hooks = passHooks(plainPass, g, { features: 'none', attention: /^none/ });
  const blocks: SelfAttentionBlock[] = [];
  const noting: PassHooks = {
    ...hooks,
    selfAttention: (builder, normed, block) => {
      blocks.push(block);
      return hooks.selfAttention(builder, normed, block);
    },
  };
  const inputs = {
    latents: g.input('latents', 'float32', [symbol('frames'), 4, size.height, size.width]),
    timeFeatures: g.input('time_features', 'float32', [1, 8]),
    context: g.input('context', 'float32', [1, symbol('tokens'), 12]),
  };
  buildUNet(g, config, inputs, noting);
  return { blocks, weights: [...g.shapes.keys()] };
}

it('a level has as many transformer blocks as its depth says, in its transformers and in the middle', () => {
  const { blocks, weights } = build();
  const transformers = ['down_blocks.1.attentions.0', 'mid_block.attentions.0', 'up_blocks.0.attentions.0'];
  const last = 'up_blocks.0.attentions.1';
  expect(blocks.map(({ key }) => key)).toEqual(
    [...transformers, last].flatMap((key) => [0, 1, 2].map((i) => `${key}.transformer_blocks.${i}.attn1`)),
  );
  expect(weights).toContain('mid_block.attentions.0.transformer_blocks.2.ff.net.2.weight');
  expect(weights.filter((key) => key.includes('.transformer_blocks.3.'))).toEqual([]);
});

it('has as many tokens in each block, in order of execution, as are planned for', () => {
  const { blocks } = build();
  expect(blocks.map(({ index }) => index)).toEqual(blocks.map((_, i) => i));
  expect(blocks.map(({ length }) => length)).toEqual(tokensPerBlock(even, size));
});

it('a layer has a depth of its own, and the middle may be one residual block', () => {
  const transformerDepths = {
    down: [[0], [2]],
    middle: { residualBlocks: 1, depth: 0 },
    up: [
      [3, 1],
      [0, 0],
    ],
  } as const;
  const pruned = { ...even, transformerDepths };
  const { blocks, weights } = build(pruned);
  const count = (key: string) => blocks.filter((block) => block.key.startsWith(`${key}.`)).length;
  expect(count('down_blocks.1.attentions.0')).toBe(2);
  expect(count('up_blocks.0.attentions.0')).toBe(3);
  expect(count('up_blocks.0.attentions.1')).toBe(1);
  expect(weights.filter((key) => /^mid_block\.(attentions|resnets\.1)/.test(key))).toEqual([]);
  expect(weights).toContain('mid_block.resnets.0.conv1.weight');
  expect(blocks.map(({ length }) => length)).toEqual(tokensPerBlock(pruned, size));
  const none = build({ ...even, transformerDepths: { ...transformerDepths, middle: { residualBlocks: 0, depth: 0 } } });
  expect(none.weights.filter((key) => key.startsWith('mid_block'))).toEqual([]);
});
