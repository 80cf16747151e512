// Propagation of tokens (arXiv 2307.10373, section 4.2): frames between keyframes take over what the keyframes' attention
// has made.

import type { GraphBuilder } from '../onnx/builder.ts';
import { symbol } from '../onnx/dims.ts';
import type { Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import { offsetByKeyframe } from './correspondence-search.ts';
import type { SelfAttentionBlock } from './denoising-network.ts';
import type { Pass } from './pass.ts';
import { asRows } from './self-attention.ts';
import type { SharedInputs } from './shared-inputs.ts';

/** Each token takes the attention's output of its nearest neighbours in two keyframes, blended by distance. */
export function propagateTokens(
  g: GraphBuilder,
  block: SelfAttentionBlock,
  { branches, correspondences }: Pass,
  nearest: Value | null,
  shared: SharedInputs,
): Value {
  const { index, length, channels } = block;
  const dims = [branches.length, symbol('keyframes'), length, channels];
  const tokens = g.input(`attention.${index}`, 'float32', dims);
  const positions = (): readonly [Value, Value] => {
    if (correspondences === 'given') {
      const given = (side: string) => g.input(`${side}.${index}`, 'int32', [symbol('frames'), length]);
      return [given('left'), given('right')];
    }
    if (nearest === null) throw new TypeError(`${block.key}: no correspondences.`);
    const found = offsetByKeyframe(g, nearest, shared.searches(), length);
    const { leftJob, rightJob } = shared.blended();
    return [ops.gather(g, found, leftJob, 0), ops.gather(g, found, rightJob, 0)];
  };
  return g.scope(`${block.key}.propagation`, () => {
    const [left, right] = positions();
    const flat = ops.cast(g, ops.reshape(g, tokens, [branches.length, -1, channels]), g.float);
    const from = ops.gather(g, flat, left, 1);
    const weight = ops.cast(g, ops.reshape(g, shared.rightWeight(), [-1, 1, 1]), g.float);
    const step = ops.mul(g, ops.sub(g, ops.gather(g, flat, right, 1), from), weight);
    return asRows(g, ops.add(g, from, step), block);
  });
}
