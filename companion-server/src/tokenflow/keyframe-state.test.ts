import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generate } from '../../../test/run-graph.ts';
import { KeyframeState } from './keyframe-state.ts';

/** A state whose every value tells branch and keyframe. */
function stateOf(keyframes: readonly number[]): KeyframeState {
  const frame = (k = 0) => keyframes[k] ?? NaN;
  const count = keyframes.length;
  const source = generate([count, 2, 3], (k, s = 0, d = 0) => 10 * frame(k) + s + d / 10);
  const attention = generate([3, count, 2, 3], (b = 0, k, s = 0, d = 0) => 1000 * b + 10 * frame(k) + s + d / 10);
  const guidance = generate([count, 2, 1, 3], (k, c = 0, _, w = 0) => 10 * frame(k) + c + w / 10);
  return new KeyframeState(keyframes, { source: [source, source], attention: [attention, attention] }, guidance);
}

const lists = fc.uniqueArray(fc.nat(90), { minLength: 1, maxLength: 8 }).map((frames) => frames.sort((a, b) => a - b));

describe('the state of keyframes', () => {
  it('that is selected is that of these keyframes, in every block and branch', () => {
    fc.assert(
      fc.property(lists, fc.infiniteStream(fc.boolean()), (all, choice) => {
        const chosen = all.filter(() => choice.next().value);
        expect(stateOf(all).select(chosen)).toEqual(stateOf(chosen));
      }),
    );
  });

  it('that is joined is as if made together', () => {
    fc.assert(
      fc.property(lists, lists, (a, b) => {
        expect(stateOf(a).join(stateOf(b))).toEqual(stateOf([...a, ...b]));
      }),
    );
  });

  it('of all its keyframes is not copied', () => {
    const state = stateOf([1, 5]);
    expect(state.select([1, 5])).toBe(state);
  });

  it('of other keyframes is an error', () => {
    expect(() => stateOf([1, 5]).select([1, 7])).toThrow('Keyframe 7 is not among');
    const { source, attention } = stateOf([7]).tokens;
    const fewer = new KeyframeState([7], { source: source.slice(1), attention });
    expect(() => stateOf([1]).join(fewer)).toThrow('differ in their blocks');
  });

  it('has guidance only where both parts have it', () => {
    const { tokens } = stateOf([7]);
    expect(stateOf([1]).join(new KeyframeState([7], tokens)).guidance).toBeNull();
  });
});
