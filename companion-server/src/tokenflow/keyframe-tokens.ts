// Picks and joins keyframes' tokens, so that a chunk of frames gets just the keyframes it needs.

import { concatRows, sizeOf, takeRows, type Tensor } from '../tensor/tensor.ts';
import type { KeyframeTokens } from './denoiser.ts';

/** tokens [B, K, S, D] -> the keyframes at `positions` [B, k, S, D] */
export function takeKeyframes(tokens: Tensor, positions: readonly number[]): Tensor {
  const [branches = 0, count = 0, ...rest] = tokens.dims;
  const rows = { dims: [branches * count, ...rest], data: tokens.data };
  const wanted = Array.from({ length: branches }, (_, branch) =>
    positions.map((position) => branch * count + position),
  );
  return { dims: [branches, positions.length, ...rest], data: takeRows(rows, wanted.flat()).data };
}

/** The tokens of some of the keyframes, in the given order. Throws RangeError when one is missing. */
export function selectKeyframes(tokens: KeyframeTokens, keyframes: readonly number[]): KeyframeTokens {
  if (keyframes.join() === tokens.keyframes.join()) return tokens;
  const positions = keyframes.map((keyframe) => {
    const position = tokens.keyframes.indexOf(keyframe);
    if (position < 0) throw new RangeError(`There are no tokens of keyframe ${keyframe}.`);
    return position;
  });
  return {
    keyframes,
    blocks: tokens.blocks.map(({ source, attention }) => ({
      source: takeRows(source, positions),
      attention: takeKeyframes(attention, positions),
    })),
  };
}

/** Tokens of `earlier` followed by those of `later`. */
export function joinKeyframes(earlier: KeyframeTokens, later: KeyframeTokens): KeyframeTokens {
  return {
    keyframes: [...earlier.keyframes, ...later.keyframes],
    blocks: earlier.blocks.map((block, i) => {
      const other = later.blocks[i];
      if (other === undefined) throw new RangeError('The two passes differ in their blocks.');
      return {
        source: concatRows([block.source, other.source]),
        attention: joinBranches(block.attention, other.attention),
      };
    }),
  };
}

/** [B, K, S, D] and [B, L, S, D] -> [B, K + L, S, D] */
export function joinBranches(a: Tensor, b: Tensor): Tensor {
  const [branches = 0, countA = 0, ...rest] = a.dims;
  const countB = b.dims[1] ?? 0;
  const rowSize = sizeOf(rest);
  const data = new Float32Array(a.data.length + b.data.length);
  for (let branch = 0; branch < branches; branch++) {
    const start = branch * (countA + countB) * rowSize;
    data.set(a.data.subarray(branch * countA * rowSize, (branch + 1) * countA * rowSize), start);
    data.set(b.data.subarray(branch * countB * rowSize, (branch + 1) * countB * rowSize), start + countA * rowSize);
  }
  return { dims: [branches, countA + countB, ...rest], data };
}
