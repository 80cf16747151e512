import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generate } from '../../../test/run-graph.ts';
import type { KeyframeTokens } from './denoiser.ts';
import { joinKeyframes, selectKeyframes } from './keyframe-tokens.ts';

/** Tokens whose every value tells branch and keyframe. */
function tokensOf(keyframes: readonly number[]): KeyframeTokens {
  const frame = (k = 0) => keyframes[k] ?? NaN;
  const block = {
    source: generate([keyframes.length, 2, 3], (k, s = 0, d = 0) => 10 * frame(k) + s + d / 10),
    attention: generate([3, keyframes.length, 2, 3], (b = 0, k, s = 0, d = 0) => 1000 * b + 10 * frame(k) + s + d / 10),
  };
  return { keyframes, blocks: [block, block] };
}

const lists = fc.uniqueArray(fc.nat(90), { minLength: 1, maxLength: 8 }).map((frames) => frames.sort((a, b) => a - b));

describe('tokens of keyframes', () => {
  it('that are selected are those of these keyframes, in every block and branch', () => {
    fc.assert(
      fc.property(lists, fc.infiniteStream(fc.boolean()), (all, choice) => {
        const chosen = all.filter(() => choice.next().value);
        expect(selectKeyframes(tokensOf(all), chosen)).toEqual(tokensOf(chosen));
      }),
    );
  });

  it('that are joined are as if made together', () => {
    fc.assert(
      fc.property(lists, lists, (a, b) => {
        expect(joinKeyframes(tokensOf(a), tokensOf(b))).toEqual(tokensOf([...a, ...b]));
      }),
    );
  });

  it('that are all selected are not copied', () => {
    const tokens = tokensOf([1, 5]);
    expect(selectKeyframes(tokens, [1, 5])).toBe(tokens);
  });

  it('that were never made are an error', () => {
    expect(() => selectKeyframes(tokensOf([1, 5]), [1, 7])).toThrow('no tokens of keyframe 7');
    const fewer = { ...tokensOf([7]), blocks: tokensOf([7]).blocks.slice(1) };
    expect(() => joinKeyframes(tokensOf([1]), fewer)).toThrow('differ in their blocks');
  });
});
