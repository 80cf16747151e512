import { describe, expect, it } from 'vitest';
import { at, generate, randomTensor } from '../../../test/run-graph.ts';
import { createRandom } from '../tensor/random.ts';
import { propagateGuidance } from './propagated-guidance.ts';

const [channels, height, width] = [3, 2, 4];
const positions = height * width;
/** Tokens of the blocks before the last one, whose places mean nothing here. */
const others = 5;
const target = randomTensor([2, channels, height, width], 1);
const guidance = randomTensor([3, channels, height, width], 2);
const random = createRandom(3);
const nearest = Uint16Array.from({ length: 2 * 2 * (others + positions) }, () => random.below(positions));
const pairs = [
  { left: 2, right: 0 },
  { left: 1, right: 1 },
];
const propagated = { guidance, correspondences: { nearest }, pairs, rightWeight: [0.3, 0] };

describe('guidance along correspondences', () => {
  it("adds what guidance did to the keyframes' tokens that were found, blended as they are", () => {
    const found = (frame: number, side: number, s: number) =>
      nearest[(2 * frame + side) * (others + positions) + others + s] ?? NaN;
    const expected = generate(target.dims, (n = 0, c = 0, row = 0, column = 0) => {
      const s = row * width + column;
      const from = (keyframe: number, position: number) =>
        at(guidance, keyframe, c, Math.floor(position / width), position % width);
      const left = from(pairs[n]?.left ?? NaN, found(n, 0, s));
      const right = from(pairs[n]?.right ?? NaN, found(n, 1, s));
      const share = propagated.rightWeight[n] ?? NaN;
      return at(target, n, c, row, column) + 6.5 * ((1 - share) * left + share * right);
    });
    expect(propagateGuidance(target, 7.5, propagated).data).toBeAllClose(expected.data, { atol: 1e-5 });
  });

  it('of scale 1 leaves the prediction as it is', () => {
    expect(propagateGuidance(target, 1, propagated).data).toEqual(target.data);
  });
});
