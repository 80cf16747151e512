// The shape of the UNet that its config describes. Numbers are compared with the reference in test/golden.

import { expect, it } from 'vitest';
import { WeightRecorder } from '../../../test/weight-recorder.ts';
import { symbol } from '../onnx/dims.ts';
import type { PassHooks, SelfAttentionBlock } from './denoising-network.ts';
import { passHooks } from './pass-hooks.ts';
import { plainPass } from './pass.ts';
import { tokensPerBlock } from './token-counts.ts';
import { buildUNet, type UNetConfig } from './unet.ts';

const size = { height: 6, width: 10 };
const config: UNetConfig = {
  latentChannels: 4,
  blockChannels: [8, 16],
  hasAttention: [false, true],
  transformerDepth: [1, 3],
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

function build() {
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
  expect(blocks.map(({ length }) => length)).toEqual(tokensPerBlock(config, size));
});
