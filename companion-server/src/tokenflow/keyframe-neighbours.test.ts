import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paperNeighbours, referenceNeighbours } from './keyframe-neighbours.ts';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const keyframes = fc
  .uniqueArray(fc.nat(100), { minLength: 1, maxLength: 12 })
  .map((frames) => frames.sort((a, b) => a - b));

describe("the paper's neighbours", () => {
  it('are the nearest keyframe before and after', () => {
    expect(paperNeighbours(13, [3, 10, 18, 30])).toEqual({
      left: 10,
      right: 18,
      rightWeight: sigmoid(3 / 8),
    });
  });

  it('of a keyframe are itself alone', () => {
    expect(paperNeighbours(10, [3, 10, 18])).toEqual({ left: 10, right: 10, rightWeight: 0 });
  });

  it('outside all keyframes are the nearest one alone', () => {
    expect(paperNeighbours(0, [3, 10])).toEqual({ left: 3, right: 3, rightWeight: 0 });
    expect(paperNeighbours(12, [3, 10])).toEqual({ left: 10, right: 10, rightWeight: 0 });
  });

  it('weigh the later one more, the closer the frame is to it', () => {
    const weights = [11, 12, 13, 14, 15, 16, 17].map((frame) => paperNeighbours(frame, [10, 18]).rightWeight);
    expect(weights).toEqual(weights.toSorted((a, b) => a - b));
    expect(new Set(weights).size).toBe(weights.length);
    expect(weights.every((weight) => weight > 0.5 && weight < sigmoid(1))).toBe(true);
  });

  it('leave no keyframe between them and the frame', () => {
    fc.assert(
      fc.property(keyframes, fc.nat(120), (all, frame) => {
        const { left, right } = paperNeighbours(frame, all);
        expect(all.filter((keyframe) => keyframe > left && keyframe < right)).toEqual([]);
        const inside = frame >= (all[0] ?? 0) && frame <= (all.at(-1) ?? 0);
        if (inside) expect(left <= frame && frame <= right).toBe(true);
        else expect(left).toBe(right);
      }),
    );
  });

  it('need a keyframe', () => {
    expect(() => paperNeighbours(0, [])).toThrow('no keyframes');
  });
});

describe("the official code's neighbours", () => {
  it("are the keyframe of the frame's run and of the run before", () => {
    // Runs of 4: middles 2, 6, 10. Frame 9 is 1 from its own and 3 from the one before.
    expect(referenceNeighbours(9, [1, 5, 11], 4)).toEqual({
      left: 5,
      right: 11,
      rightWeight: sigmoid(3 / 4),
    });
  });

  it('in the first run are its keyframe alone', () => {
    expect(referenceNeighbours(3, [1, 5], 4)).toEqual({ left: 1, right: 1, rightWeight: 0 });
  });

  it('need a keyframe in every run', () => {
    expect(() => referenceNeighbours(9, [1, 5], 4)).toThrow('Frame 9 has no keyframe.');
  });
});
