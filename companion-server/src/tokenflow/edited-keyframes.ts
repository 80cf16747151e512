// What a joint pass leaves behind of its keyframes: tokens to carry to other frames, and how far guidance moved them.

import { concatRows, takeRows, type Tensor } from '../tensor/tensor.ts';
import { joinBranches, takeKeyframes } from './keyframe-tokens.ts';
import type { KeyframeKnowledge } from './keyframe-walk.ts';
import { positionsOf } from './source-keyframes.ts';

export class EditedKeyframes implements KeyframeKnowledge<EditedKeyframes> {
  readonly keyframes: readonly number[];
  /** Per transformer block [E, K, S, D]. */
  readonly tokens: readonly Tensor[];
  /** Target's minus negative's prediction [K, C, h, w]; null where it is not carried. */
  readonly direction: Tensor | null;

  constructor(keyframes: readonly number[], tokens: readonly Tensor[], direction: Tensor | null) {
    this.keyframes = keyframes;
    this.tokens = tokens;
    this.direction = direction;
  }

  select(keyframes: readonly number[]): EditedKeyframes {
    if (keyframes.join() === this.keyframes.join()) return this;
    const positions = positionsOf(keyframes, this.keyframes);
    const tokens = this.tokens.map((block) => takeKeyframes(block, positions));
    return new EditedKeyframes(keyframes, tokens, this.direction && takeRows(this.direction, positions));
  }

  join(later: EditedKeyframes): EditedKeyframes {
    const tokens = this.tokens.map((block, i) => {
      const other = later.tokens[i];
      if (other === undefined) throw new RangeError('The two passes differ in their blocks.');
      return joinBranches(block, other);
    });
    const direction = this.direction && later.direction && concatRows([this.direction, later.direction]);
    return new EditedKeyframes([...this.keyframes, ...later.keyframes], tokens, direction);
  }
}
