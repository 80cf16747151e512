// The passes over the source alone, which record what sampling needs of it: where each token of a frame finds itself in
// the keyframes (arXiv 2307.10373, section 4.2).

import type { GraphBuilder } from '../onnx/builder.ts';
import { symbol } from '../onnx/dims.ts';
import type { Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import { nearestTokens, type Searches } from './correspondences.ts';
import { attend, out, perPicture, queryKeyValue, unitLength } from './self-attention.ts';
import type { SelfAttentionBlock, UNetVariant } from './unet.ts';

/** Ordinary self-attention. Adds the output `source.{i}` [K, length, C], the normalised tokens with unit length. */
export const recordKeyframesVariant: UNetVariant = {
  branches: 1,
  selfAttention: (g, normed, block) => {
    g.output(`source.${block.index}`, perPicture(g, unitLength(g, normed), block));
    return selfAttention(g, normed, block);
  },
  sharesConvolution: () => false,
};

/**
 * Ordinary self-attention. Takes the keyframes' tokens as the inputs `source.{i}` and adds the output `nearest.{i}` [jobs,
 * length], whole numbers: for each search and token the position of its nearest neighbour in the keyframe.
 */
export function recordFramesVariant(searches: Searches): UNetVariant {
  return {
    branches: 1,
    selfAttention: (g, normed, block) => {
      const { index, length, channels } = block;
      const keyframes = g.input(`source.${index}`, 'float32', [symbol('keyframes'), length, channels]);
      const nearest = g.scope(`${block.key}.correspondence`, () =>
        nearestTokens(g, perPicture(g, normed, block), keyframes, searches, length),
      );
      g.output(`nearest.${index}`, ops.cast(g, nearest, 'float32'));
      return selfAttention(g, normed, block);
    },
    sharesConvolution: () => false,
  };
}

function selfAttention(g: GraphBuilder, normed: Value, block: SelfAttentionBlock): Value {
  return out(g, attend(g, queryKeyValue(g, normed, block), block), block);
}
