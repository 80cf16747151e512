import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generate } from '../../../test/run-graph.ts';
import { gatherSearched, pairsOf, planSearches, positionsPerBlock } from './correspondences.ts';

const pairs = fc.array(fc.record({ left: fc.nat(5), right: fc.nat(5) }), { minLength: 1, maxLength: 12 });

describe('the searches of some frames', () => {
  it('are one for each pair of frame and keyframe that is needed', () => {
    fc.assert(
      fc.property(pairs, (wanted) => {
        const { jobFrame, jobKeyframe, leftJob, rightJob } = planSearches(wanted);
        const searches = jobFrame.map((frame, job) => `${frame}:${jobKeyframe[job] ?? ''}`);
        expect(new Set(searches).size).toBe(searches.length);
        const needed = wanted.flatMap(({ left, right }, frame) => [`${frame}:${left}`, `${frame}:${right}`]);
        expect(new Set(searches)).toEqual(new Set(needed));
        for (const [frame, { left, right }] of wanted.entries()) {
          expect(searches[leftJob[frame] ?? -1]).toBe(`${frame}:${left}`);
          expect(searches[rightJob[frame] ?? -1]).toBe(`${frame}:${right}`);
        }
      }),
    );
  });

  it('are put together per frame, side by side, block after block', () => {
    const searches = planSearches([
      { left: 0, right: 1 },
      { left: 2, right: 2 },
    ]);
    // Three searches; a token's number tells block, search and token.
    const blocks = [0, 1].map((block) => generate([3, block + 1], (job = 0, s = 0) => 100 * block + 10 * job + s));
    const { nearest } = gatherSearched(blocks, searches);
    expect([...nearest]).toEqual([0, 100, 101, 10, 110, 111, 20, 120, 121, 20, 120, 121]);
  });
});

describe('correspondences as the network takes them', () => {
  it("are positions among all keyframes' tokens of a block", () => {
    const nearest = Uint16Array.of(0, 1, 0, 1, 0, 0);
    // One frame, blocks of 2 and 1 tokens: left 0 1 | 0, right 1 0 | 0.
    const found = positionsPerBlock({ nearest }, [{ left: 1, right: 2 }], [2, 1]);
    expect(found).toEqual([
      { side: 'left', block: 0, positions: Int32Array.of(2, 3) },
      { side: 'right', block: 0, positions: Int32Array.of(5, 4) },
      { side: 'left', block: 1, positions: Int32Array.of(1) },
      { side: 'right', block: 1, positions: Int32Array.of(2) },
    ]);
  });
});

describe("a frame's keyframes", () => {
  it('are named by their places', () => {
    expect(pairsOf([{ left: 3, right: 9, rightWeight: 0.5 }], [1, 3, 9])).toEqual([{ left: 1, right: 2 }]);
  });

  it('must be among the given ones', () => {
    expect(() => pairsOf([{ left: 3, right: 9, rightWeight: 0.5 }], [3])).toThrow('Keyframe 9 is not among');
  });
});
