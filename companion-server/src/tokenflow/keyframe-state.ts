// The outputs of some keyframes after their pass, with functions that select and join them, so that frames get only the
// keyframes that they need.

import { concatRows, sizeOf, takeRows, type Tensor } from '../tensor/tensor.ts';
import { positionsOf } from './correspondences.ts';
import type { KeyframeTokens } from './denoiser.ts';

export class KeyframeState {
  /** Frame indices in the clip, rising. */
  readonly keyframes: readonly number[];
  readonly tokens: KeyframeTokens;
  /** Their guidance: target's minus negative's prediction [K, C, h, w]. null when it is not propagated. */
  readonly guidance: Tensor | null;

  constructor(keyframes: readonly number[], tokens: KeyframeTokens, guidance: Tensor | null = null) {
    this.keyframes = keyframes;
    this.tokens = tokens;
    this.guidance = guidance;
  }

  /** Of these keyframes alone, in this order. Throws RangeError when one is missing. */
  select(keyframes: readonly number[]): KeyframeState {
    if (keyframes.join() === this.keyframes.join()) return this;
    const positions = positionsOf(keyframes, this.keyframes);
    const tokens = {
      source: this.tokens.source.map((block) => takeRows(block, positions)),
      attention: this.tokens.attention.map((block) => takeKeyframes(block, positions)),
    };
    return new KeyframeState(keyframes, tokens, this.guidance && takeRows(this.guidance, positions));
  }

  /** Followed by that of later keyframes of the same step. */
  join(later: KeyframeState): KeyframeState {
    const tokens = {
      source: joinBlocks(this.tokens.source, later.tokens.source, (a, b) => concatRows([a, b])),
      attention: joinBlocks(this.tokens.attention, later.tokens.attention, joinKeyframes),
    };
    const guidance = this.guidance && later.guidance && concatRows([this.guidance, later.guidance]);
    return new KeyframeState([...this.keyframes, ...later.keyframes], tokens, guidance);
  }
}

function joinBlocks(
  earlier: readonly Tensor[],
  later: readonly Tensor[],
  join: (a: Tensor, b: Tensor) => Tensor,
): readonly Tensor[] {
  if (earlier.length !== later.length) throw new RangeError('The two passes differ in their blocks.');
  return earlier.map((block, i) => join(block, later[i] as Tensor));
}

/** tokens [B, K, S, D] -> the keyframes at `positions` [B, k, S, D] */
function takeKeyframes(tokens: Tensor, positions: readonly number[]): Tensor {
  const [branches = 0, count = 0, ...rest] = tokens.dims;
  const rows = { dims: [branches * count, ...rest], data: tokens.data };
  const wanted = Array.from({ length: branches }, (_, branch) =>
    positions.map((position) => branch * count + position),
  );
  return { dims: [branches, positions.length, ...rest], data: takeRows(rows, wanted.flat()).data };
}

/** [B, K, S, D] and [B, L, S, D] -> [B, K + L, S, D] */
function joinKeyframes(a: Tensor, b: Tensor): Tensor {
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
