// The source's tokens of some keyframes, as frames look for theirs in them.

import { concatRows, takeRows } from '../tensor/tensor.ts';
import type { KeyframePair, SourceTokens } from './fast-denoiser.ts';
import type { KeyframeKnowledge } from './keyframe-walk.ts';
import type { Neighbours } from './propagation.ts';

export class SourceKeyframes implements KeyframeKnowledge<SourceKeyframes> {
  readonly keyframes: readonly number[];
  readonly tokens: SourceTokens;

  constructor(keyframes: readonly number[], tokens: SourceTokens) {
    this.keyframes = keyframes;
    this.tokens = tokens;
  }

  select(keyframes: readonly number[]): SourceKeyframes {
    const positions = positionsOf(keyframes, this.keyframes);
    return new SourceKeyframes(
      keyframes,
      this.tokens.map((block) => takeRows(block, positions)),
    );
  }

  join(later: SourceKeyframes): SourceKeyframes {
    const tokens = this.tokens.map((block, i) => concatRows([block, blockOf(later.tokens, i)]));
    return new SourceKeyframes([...this.keyframes, ...later.keyframes], tokens);
  }
}

/** Where each of `wanted` stands in `keyframes`. Throws RangeError when one is missing. */
export function positionsOf(wanted: readonly number[], keyframes: readonly number[]): number[] {
  return wanted.map((keyframe) => positionOf(keyframe, keyframes));
}

/** Where the neighbours of each frame stand in `keyframes`. Throws RangeError when one is missing. */
export function pairsOf(neighbours: readonly Neighbours[], keyframes: readonly number[]): KeyframePair[] {
  return neighbours.map(({ left, right }) => ({
    left: positionOf(left, keyframes),
    right: positionOf(right, keyframes),
  }));
}

function positionOf(keyframe: number, keyframes: readonly number[]): number {
  const position = keyframes.indexOf(keyframe);
  if (position < 0) throw new RangeError(`Nothing is known of keyframe ${keyframe}.`);
  return position;
}

function blockOf<T>(blocks: readonly T[], index: number): T {
  const block = blocks[index];
  if (block === undefined) throw new RangeError('The two passes differ in their blocks.');
  return block;
}
