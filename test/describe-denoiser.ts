// What every Denoiser must do, the fake as well as the real one: both run this suite.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sliceRows, type Tensor } from '../companion-server/src/tensor/tensor.ts';
import type { Denoiser, StepInput } from '../companion-server/src/tokenflow/denoiser.ts';
import { planPropagation } from '../companion-server/src/tokenflow/propagation.ts';
import { randomTensor } from './run-graph.ts';

export interface DenoiserUnderTest {
  readonly denoiser: Denoiser;
  /** [C, h, w] of its latents and [tokens, D] of its contexts. */
  readonly latentDims: readonly number[];
  readonly contextDims: readonly number[];
  release(): Promise<void>;
}

const close = { atol: 2e-5 };

export function describeDenoiser(name: string, make: () => Promise<DenoiserUnderTest>): void {
  describe(`${name} as a Denoiser`, () => {
    let made: DenoiserUnderTest;
    let input: StepInput;
    const text = (seed: number): Tensor => randomTensor([1, ...made.contextDims], seed);
    beforeAll(async () => {
      made = await make();
      input = {
        source: randomTensor([3, ...made.latentDims], 1),
        edited: randomTensor([3, ...made.latentDims], 2),
        timestep: 501,
        contexts: { source: text(3), negative: text(4), target: text(5) },
        injection: { attention: false, features: false },
      };
    });
    afterAll(() => made.release());

    /** One frame of `input`. */
    const frame = (index: number): StepInput => ({
      ...input,
      source: sliceRows(input.source, index, index + 1),
      edited: sliceRows(input.edited, index, index + 1),
    });

    it('predicts as many frames as it is given', async () => {
      const { edited, timestep, contexts } = input;
      const prediction = await made.denoiser.predict(edited, timestep, contexts.target);
      expect(prediction.dims).toEqual(edited.dims);
      const { negative, target } = await made.denoiser.predictPerFrame(input);
      expect(negative.dims).toEqual(edited.dims);
      expect(target.dims).toEqual(edited.dims);
      expect(prediction.data).toBeAllClose(target.data, close);
    });

    it('returns tokens of every keyframe in every block', async () => {
      const { keyframes, blocks } = await made.denoiser.editKeyframes([4, 7, 9], input);
      expect(keyframes).toEqual([4, 7, 9]);
      expect(blocks.length).toBeGreaterThan(0);
      for (const { source, attention } of blocks) {
        const [, length = 0, width = 0] = source.dims;
        expect(source.dims).toEqual([3, length, width]);
        expect(attention.dims).toEqual([3, 3, length, width]);
        const [first] = [source.data.subarray(0, width)];
        expect(Math.hypot(...first)).toBeCloseTo(1, 4);
      }
    });

    it('makes no difference between the edit branches but their text', async () => {
      const { contexts } = input;
      const same = { ...input, contexts: { ...contexts, negative: contexts.target } };
      const tokens = await made.denoiser.editKeyframes([0, 1, 2], same);
      const neighbours = [0, 1, 2].map((left) => ({ left, right: 2, rightWeight: 0.4 }));
      const plan = planPropagation(neighbours, [0, 1, 2]);
      const predictions = [
        await made.denoiser.predictPerFrame(same),
        await made.denoiser.propagate(same, tokens, plan),
      ];
      for (const { negative, target } of predictions) {
        expect(negative.data).toBeAllClose(target.data, close);
      }
      const differing = await made.denoiser.propagate(input, await made.denoiser.editKeyframes([0, 1, 2], input), plan);
      expect(differing.negative.data).not.toBeAllClose(differing.target.data, { atol: 1e-3 });
    });

    it('propagates a keyframe to itself as if it were edited alone', async () => {
      const one = frame(1);
      const tokens = await made.denoiser.editKeyframes([1], one);
      const plan = planPropagation([{ left: 1, right: 1, rightWeight: 0 }], [1]);
      const propagated = await made.denoiser.propagate(one, tokens, plan);
      const alone = await made.denoiser.predictPerFrame(one);
      expect(propagated.target.data).toBeAllClose(alone.target.data, close);
      expect(propagated.negative.data).toBeAllClose(alone.negative.data, close);
    });

    it('gives frames the same result in one chunk and in several', async () => {
      const tokens = await made.denoiser.editKeyframes([0, 2], {
        ...input,
        source: sliceRows(input.source, 0, 2),
        edited: sliceRows(input.edited, 0, 2),
      });
      const neighbours = [0.2, 0.5, 0.7].map((rightWeight) => ({ left: 0, right: 2, rightWeight }));
      const whole = await made.denoiser.propagate(input, tokens, planPropagation(neighbours, [0, 2]));
      for (const [index, own] of neighbours.entries()) {
        const plan = planPropagation([own], [0, 2]);
        const { target } = await made.denoiser.propagate(frame(index), tokens, plan);
        expect(target.data).toBeAllClose(sliceRows(whole.target, index, index + 1).data, close);
      }
    });
  });
}
