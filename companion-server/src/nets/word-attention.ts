// How much a picture's tokens look at words of its prompt: the cross-attention of Prompt-to-Prompt (arXiv 2208.01626, section
// 3), the mean of a block's heads.

import type { GraphBuilder } from '../onnx/builder.ts';
import { symbol } from '../onnx/dims.ts';
import * as ops from '../onnx/ops.ts';
import type { PassHooks } from './denoising-network.ts';

/**
 * A hook that outputs `words_out.{i}` float32 [frames, length] of transformer block i: the sum of the attention's shares, each
 * with the weight of its token of the prompt in the input `words` float32 [tokens, 1]. Computed in float32. The hook throws
 * TypeError in a pass of more than one branch.
 */
export function wordAttention(g: GraphBuilder): NonNullable<PassHooks['promptAttention']> {
  const weights = g.input('words', 'float32', [symbol('tokens'), 1]);
  return (_, query, keys, { key, index, heads, length, channels, branches }) => {
    if (branches !== 1) throw new TypeError(`${key}: words are looked for in one branch, got ${branches}.`);
    const depth = channels / heads;
    const mean = g.scope(`${key}.words`, () => {
      const rows = ops.reshape(g, ops.cast(g, query, 'float32'), [-1, heads, depth]);
      const columns = ops.reshape(g, ops.cast(g, keys, 'float32'), [-1, heads, depth]);
      const scaled = ops.mul(g, rows, g.constant('float32', [1 / Math.sqrt(depth)], []));
      const scores = ops.matMul(g, ops.transpose(g, scaled, [1, 0, 2]), ops.transpose(g, columns, [1, 2, 0]));
      // [heads, frames*length, 1] -> [frames*length, 1, heads], to take the mean of the heads.
      const looked = ops.transpose(g, ops.matMul(g, ops.softmax(g, scores), weights), [1, 2, 0]);
      return ops.reshape(g, ops.reduceMean(g, looked), [-1, length]);
    });
    g.output(`words_out.${index}`, mean);
  };
}
