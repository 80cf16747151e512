// What every FastDenoiser must do, the fake as well as the real one: both run this suite.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sliceRows, type Tensor } from '../companion-server/src/tensor/tensor.ts';
import type { Injection } from '../companion-server/src/tokenflow/denoiser.ts';
import type { CarriedInput, FastDenoiser, JointInput } from '../companion-server/src/tokenflow/fast-denoiser.ts';
import { createRandom } from '../companion-server/src/tensor/random.ts';
import { randomTensor } from './run-graph.ts';

export interface FastDenoiserUnderTest {
  readonly denoiser: FastDenoiser;
  /** [C, h, w] of its latents and [tokens, D] of its contexts. */
  readonly latentDims: readonly number[];
  readonly contextDims: readonly number[];
  release(): Promise<void>;
}

const close = { atol: 2e-5 };
const none = { attention: false, features: false };
const timestep = 501;

export function describeFastDenoiser(name: string, make: () => Promise<FastDenoiserUnderTest>): void {
  describe(`${name} as a FastDenoiser`, () => {
    let made: FastDenoiserUnderTest;
    let joint: JointInput;
    const text = (seed: number): Tensor => randomTensor([1, ...made.contextDims], seed);
    const latents = (frames: number, seed: number) => randomTensor([frames, ...made.latentDims], seed);
    beforeAll(async () => {
      made = await make();
      const contexts = { source: text(3), negative: text(4), target: text(5) };
      joint = { edited: latents(3, 2), source: null, timestep, contexts, injection: none, guided: true };
    });
    afterAll(() => made.release());

    const jointWith = (injection: Injection, more: Partial<JointInput> = {}) => {
      const source = injection.attention || injection.features ? latents(3, 1) : null;
      return made.denoiser.editJointly({ ...joint, injection, source, ...more });
    };

    /** Two frames between three keyframes, found anywhere. */
    async function carriedInput(): Promise<CarriedInput> {
      const { tokens } = await jointWith(none);
      const lengths = tokens.map(({ dims }) => dims[2] ?? 0);
      const random = createRandom(9);
      const nearest = [0, 1, 2, 3].flatMap(() =>
        lengths.flatMap((length) => Array.from({ length }, () => random.below(length))),
      );
      const { contexts } = joint;
      const pairs = [
        { left: 0, right: 2 },
        { left: 1, right: 2 },
      ];
      const shared = { edited: latents(2, 7), timestep, contexts, tokens, pairs };
      return { ...shared, records: { nearest: Uint16Array.from(nearest) }, rightWeight: [0.3, 0.6] };
    }

    /** One frame of a carried pass. */
    const frameOf = (input: CarriedInput, row: number): CarriedInput => {
      const { nearest } = input.records;
      const size = nearest.length / input.pairs.length;
      return {
        ...input,
        edited: sliceRows(input.edited, row, row + 1),
        records: { nearest: nearest.slice(row * size, (row + 1) * size) },
        pairs: input.pairs.slice(row, row + 1),
        rightWeight: input.rightWeight.slice(row, row + 1),
      };
    };

    it('records beside the predictions of the plain network', async () => {
      const { denoiser } = made;
      const context = text(3);
      const frames = latents(2, 6);
      const plain = await denoiser.predict(frames, timestep, context);
      const keyframes = await denoiser.recordKeyframes(frames, timestep, context);
      expect(keyframes.prediction.data).toBeAllClose(plain.data, close);
      const pairs = [
        { left: 0, right: 1 },
        { left: 1, right: 1 },
      ];
      const found = await denoiser.recordFrames(frames, timestep, context, { tokens: keyframes.tokens, pairs });
      expect(found.prediction.data).toBeAllClose(plain.data, close);
    });

    it('finds each token where its keyframes are most like it', async () => {
      const { denoiser } = made;
      const context = text(3);
      const { tokens } = await denoiser.recordKeyframes(latents(3, 1), timestep, context);
      const frames = latents(3, 6);
      const own = (await denoiser.recordKeyframes(frames, timestep, context)).tokens;
      const pairs = [
        { left: 0, right: 2 },
        { left: 1, right: 1 },
        { left: 1, right: 2 },
      ];
      const { records } = await denoiser.recordFrames(frames, timestep, context, { tokens, pairs });
      const total = tokens.reduce((count, { dims }) => count + (dims[1] ?? 0), 0);
      expect(records.nearest).toHaveLength(3 * 2 * total);
      let position = 0;
      for (const [frame, { left, right }] of pairs.entries()) {
        for (const keyframe of [left, right]) {
          for (const [block, keys] of tokens.entries()) {
            const [, length = 0] = keys.dims;
            for (let token = 0; token < length; token++) {
              const found = records.nearest[position++] ?? NaN;
              const similar = similarities(own[block], frame, token, keys, keyframe);
              // Where two are alike to rounding, either will do.
              expect(similar[found]).toBeGreaterThanOrEqual(Math.max(...similar) - 1e-5);
            }
          }
        }
      }
    });

    it('finds a keyframe in itself, token by token', async () => {
      const { denoiser } = made;
      const frame = latents(1, 1);
      const { tokens } = await denoiser.recordKeyframes(frame, timestep, text(3));
      const pairs = [{ left: 0, right: 0 }];
      const { records } = await denoiser.recordFrames(frame, timestep, text(3), { tokens, pairs });
      expect(records.nearest).toEqual(identity(tokens.map(({ dims }) => dims[1] ?? 0)));
    });

    it('gives the prompt the same with guidance and without', async () => {
      const guided = await jointWith(none);
      const alone = await jointWith(none, { guided: false });
      expect(alone.prediction.negative).toBeNull();
      expect(alone.prediction.target.data).toBeAllClose(guided.prediction.target.data, close);
      for (const [i, block] of guided.tokens.entries()) {
        expect(alone.tokens[i]?.data).toBeAllClose(sliceRows(block, 1, 2).data, close);
      }
      const input = await carriedInput();
      const both = await made.denoiser.editCarried(input);
      const tokens = input.tokens.map((block) => sliceRows(block, 1, 2));
      const single = await made.denoiser.editCarried({ ...input, tokens });
      expect(single.negative).toBeNull();
      expect(single.target.data).toBeAllClose(both.target.data, close);
      expect(both.negative?.data).not.toBeAllClose(both.target.data, { atol: 1e-3 });
    });

    it('lets keyframes see each other', async () => {
      const before = await jointWith(none);
      const edited = { ...joint.edited, data: joint.edited.data.slice() };
      edited.data.set(latents(1, 8).data, (2 * edited.data.length) / 3);
      const after = await jointWith(none, { edited });
      const first = (prediction: Tensor) => sliceRows(prediction, 0, 1).data;
      expect(first(after.prediction.target)).not.toBeAllClose(first(before.prediction.target), {
        atol: 1e-3,
      });
    });

    it.each([none, { attention: true, features: false }])(
      'carries a keyframe to itself as the joint pass predicted it: %j',
      async (injection) => {
        const { prediction, tokens } = await jointWith(injection);
        const own = identity(tokens.map(({ dims }) => dims[2] ?? 0));
        const carried = await made.denoiser.editCarried({
          ...joint,
          tokens,
          records: { nearest: Uint16Array.from([...own, ...own, ...own]) },
          pairs: [0, 1, 2].map((keyframe) => ({ left: keyframe, right: keyframe })),
          rightWeight: [0, 0.4, 1],
        });
        expect(carried.target.data).toBeAllClose(prediction.target.data, close);
        expect(carried.negative?.data).toBeAllClose(prediction.negative?.data ?? [], close);
      },
    );

    it('takes all from the left keyframe or all from the right one at the ends of the weight', async () => {
      const input = frameOf(await carriedInput(), 0);
      const { nearest } = input.records;
      const half = nearest.length / 2;
      const [left, right] = [nearest.slice(0, half), nearest.slice(half)];
      const only = (side: Uint16Array, keyframe: number) => ({
        ...input,
        records: { nearest: Uint16Array.from([...side, ...side]) },
        pairs: [{ left: keyframe, right: keyframe }],
      });
      const { denoiser } = made;
      for (const [weight, alone] of [
        [0, only(left, 0)],
        [1, only(right, 2)],
      ] as const) {
        const blended = await denoiser.editCarried({ ...input, rightWeight: [weight] });
        const expected = await denoiser.editCarried(alone);
        expect(blended.target.data).toBeAllClose(expected.target.data, close);
      }
    });

    it('gives frames the same result in one chunk and in several', async () => {
      const input = await carriedInput();
      const whole = await made.denoiser.editCarried(input);
      for (const row of [0, 1]) {
        const { target, negative } = await made.denoiser.editCarried(frameOf(input, row));
        expect(target.data).toBeAllClose(sliceRows(whole.target, row, row + 1).data, close);
        const other = whole.negative ?? whole.target;
        expect(negative?.data).toBeAllClose(sliceRows(other, row, row + 1).data, close);
      }
    });
  });
}

/** Records [1, 2, T] of a frame whose tokens are found where they are. */
function identity(lengths: readonly number[]): Uint16Array {
  const own = lengths.flatMap((length) => Array.from({ length }, (_, i) => i));
  return Uint16Array.from([...own, ...own]);
}

/** Of a frame's token [N, S, D] with all of a keyframe's [K, S, D]. */
function similarities(
  frames: Tensor | undefined,
  frame: number,
  token: number,
  keys: Tensor,
  keyframe: number,
): number[] {
  const [, length = 0, channels = 0] = keys.dims;
  const query = (frame * length + token) * channels;
  return Array.from({ length }, (_, other) => {
    const key = (keyframe * length + other) * channels;
    let product = 0;
    for (let c = 0; c < channels; c++) product += (frames?.data[query + c] ?? NaN) * (keys.data[key + c] ?? NaN);
    return product;
  });
}
