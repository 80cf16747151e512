// What every Denoiser must do, the fake as well as the real one: both run this suite.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Conditioning } from '../companion-server/src/nets/conditioning.ts';
import { noInjection, type Injection } from '../companion-server/src/nets/pass.ts';
import { createRandom } from '../companion-server/src/tensor/random.ts';
import { sliceRows, type Tensor } from '../companion-server/src/tensor/tensor.ts';
import type { KeyframePair } from '../companion-server/src/tokenflow/correspondences.ts';
import {
  predict,
  predictionOf,
  type BranchConditioning,
  type Denoiser,
  type KeyframeTokens,
  type PassInputs,
} from '../companion-server/src/tokenflow/denoiser.ts';
import {
  frameInversionPass,
  keyframeInversionPass,
  samplingPasses,
  type SamplingStep,
  type SourceMode,
} from '../companion-server/src/tokenflow/step-passes.ts';
import { randomTensor } from './run-graph.ts';

export interface DenoiserUnderTest {
  readonly denoiser: Denoiser;
  /** [C, h, w] of its latents and [tokens, D] of its conditioning. */
  readonly latentDims: readonly number[];
  readonly tokenDims: readonly number[];
  /** What its conditioning has beside tokens; nothing when left out. Equal seeds make equal ones. */
  readonly toldBeside?: (seed: number) => Omit<Conditioning, 'tokens'>;
  release(): Promise<void>;
}

const close = { atol: 2e-5 };
const timestep = 501;

/** The passes of a sampling step, with the pass over keyframes that these modes have. */
export function passesOf(change: Partial<SamplingStep> & { readonly sourceMode: SourceMode }) {
  const step = { injection: noInjection, guided: true, frameGuidance: 'own', ...change } as const;
  const { keyframes, frames } = samplingPasses(step);
  if (keyframes === null) throw new TypeError('This mode has no pass over keyframes.');
  return { keyframes, frames };
}

const alone = (injection: Injection, guided = true) =>
  samplingPasses({ sourceMode: 'none', injection, guided, frameGuidance: 'own' }).frames;

export function describeDenoiser(name: string, make: () => Promise<DenoiserUnderTest>): void {
  describe(`${name} as a Denoiser`, () => {
    let made: DenoiserUnderTest;
    let input: PassInputs & {
      readonly latents: Readonly<Record<'source' | 'edited', Tensor>>;
      conditioning: BranchConditioning;
    };
    const text = (seed: number): Conditioning => ({
      tokens: randomTensor([1, ...made.tokenDims], seed),
      ...made.toldBeside?.(seed),
    });
    const latents = (frames: number, seed: number): Tensor => randomTensor([frames, ...made.latentDims], seed);
    beforeAll(async () => {
      made = await make();
      input = {
        latents: { source: latents(3, 1), edited: latents(3, 2) },
        timestep,
        conditioning: { source: text(3), negative: text(4), target: text(5) },
      };
    });
    afterAll(() => made.release());

    /** Frames `start` to before `end` of the input. */
    const part = (start: number, end: number): PassInputs => ({
      ...input,
      latents: {
        source: sliceRows(input.latents.source, start, end),
        edited: sliceRows(input.latents.edited, start, end),
      },
    });

    const inversion = (frames: Tensor, more: Partial<PassInputs> = {}): PassInputs => ({
      latents: { source: frames },
      timestep,
      conditioning: { source: text(3) },
      ...more,
    });

    describe('over single frames', () => {
      it('predicts as many frames as it is given, each branch as its text says', async () => {
        const { edited } = input.latents;
        const outputs = await made.denoiser.run(alone(noInjection), input);
        for (const branch of ['negative', 'target'] as const) {
          const expected = await predict(made.denoiser, edited, timestep, input.conditioning[branch]);
          expect(expected.dims).toEqual(edited.dims);
          expect(predictionOf(outputs, branch).data).toBeAllClose(expected.data, close);
        }
      });

      it('predicts the same while it searches and while it returns tokens', async () => {
        const frames = latents(2, 6);
        const plain = await predict(made.denoiser, frames, timestep, text(3));
        const keyframes = await made.denoiser.run(keyframeInversionPass, inversion(frames));
        expect(predictionOf(keyframes, 'source').data).toBeAllClose(plain.data, close);
        const pairs = [
          { left: 0, right: 1 },
          { left: 1, right: 1 },
        ];
        const searching = inversion(frames, { keyframes: keyframes.tokens, pairs });
        const found = await made.denoiser.run(frameInversionPass, searching);
        expect(predictionOf(found, 'source').data).toBeAllClose(plain.data, close);
      });
    });

    describe('that searches', () => {
      it('finds each token where its keyframes are most like it', async () => {
        const { tokens } = await made.denoiser.run(keyframeInversionPass, inversion(latents(3, 1)));
        const frames = latents(3, 6);
        const own = (await made.denoiser.run(keyframeInversionPass, inversion(frames))).tokens.source;
        const pairs = [
          { left: 0, right: 2 },
          { left: 1, right: 1 },
          { left: 1, right: 2 },
        ];
        const searching = inversion(frames, { keyframes: tokens, pairs });
        const { correspondences } = await made.denoiser.run(frameInversionPass, searching);
        const total = tokens.source.reduce((count, { dims }) => count + (dims[1] ?? 0), 0);
        expect(correspondences?.nearest).toHaveLength(3 * 2 * total);
        let position = 0;
        for (const [frame, { left, right }] of pairs.entries()) {
          for (const keyframe of [left, right]) {
            for (const [block, keys] of tokens.source.entries()) {
              const [, length = 0] = keys.dims;
              for (let token = 0; token < length; token++) {
                const found = correspondences?.nearest[position++] ?? NaN;
                const similar = similarities(own[block], frame, token, keys, keyframe);
                // Where two are alike to rounding, either will do.
                expect(similar[found]).toBeGreaterThanOrEqual(Math.max(...similar) - 1e-5);
              }
            }
          }
        }
      });

      it('finds a keyframe in itself, token by token', async () => {
        const frame = latents(1, 1);
        const { tokens } = await made.denoiser.run(keyframeInversionPass, inversion(frame));
        const searching = inversion(frame, { keyframes: tokens, pairs: [{ left: 0, right: 0 }] });
        const { correspondences } = await made.denoiser.run(frameInversionPass, searching);
        expect(correspondences?.nearest).toEqual(identity(tokens.source.map(({ dims }) => dims[1] ?? 0)));
      });

      it('returns source tokens of unit length and attention of all branches, of every keyframe in every block', async () => {
        const { keyframes } = passesOf({ sourceMode: 'recomputed' });
        const { tokens } = await made.denoiser.run(keyframes, input);
        expect(tokens.source.length).toBeGreaterThan(0);
        expect(tokens.attention).toHaveLength(tokens.source.length);
        for (const [i, { dims, data }] of tokens.source.entries()) {
          const [, length = 0, width = 0] = dims;
          expect(dims).toEqual([3, length, width]);
          expect(tokens.attention[i]?.dims).toEqual([3, 3, length, width]);
          expect(Math.hypot(...data.subarray(0, width))).toBeCloseTo(1, 4);
        }
      });
    });

    describe.each(['cached', 'recomputed'] as const)('with a %s source', (sourceMode) => {
      /** Keyframe tokens, and what frames between them need: two frames between three keyframes, found anywhere. */
      async function between(change: Partial<SamplingStep> = {}) {
        const { keyframes, frames } = passesOf({ sourceMode, ...change });
        const { tokens } = await made.denoiser.run(keyframes, input);
        const pairs = [
          { left: 0, right: 2 },
          { left: 1, right: 2 },
        ];
        const inputs: PassInputs = {
          ...input,
          latents: { source: latents(2, 8), edited: latents(2, 7) },
          keyframes: tokens,
          pairs,
          rightWeight: [0.3, 0.6],
          ...(sourceMode === 'cached' ? { correspondences: anywhere(tokens, pairs.length) } : {}),
        };
        return { pass: frames, inputs };
      }

      it('makes no difference between the branches of the edit but their text', async () => {
        const { pass, inputs } = await between();
        const differing = await made.denoiser.run(pass, inputs);
        expect(differing.prediction.negative?.data).not.toBeAllClose(differing.prediction.target?.data ?? [], {
          atol: 1e-3,
        });
        const conditioning = { ...input.conditioning, negative: input.conditioning.target };
        const { keyframes } = passesOf({ sourceMode });
        const { tokens } = await made.denoiser.run(keyframes, { ...input, conditioning });
        const same = await made.denoiser.run(pass, { ...inputs, conditioning, keyframes: tokens });
        expect(same.prediction.negative?.data).toBeAllClose(same.prediction.target?.data ?? [], close);
      });

      it('gives the prompt the same with guidance and without', async () => {
        const both = await between();
        const guided = await made.denoiser.run(both.pass, both.inputs);
        const single = await between({ guided: false });
        const unguided = await made.denoiser.run(single.pass, single.inputs);
        expect(unguided.prediction.negative).toBeUndefined();
        expect(unguided.prediction.target?.data).toBeAllClose(guided.prediction.target?.data ?? [], close);
      });

      it('gives frames the same result in one pass and in several', async () => {
        const { pass, inputs } = await between();
        const whole = await made.denoiser.run(pass, inputs);
        for (const row of [0, 1]) {
          const one = await made.denoiser.run(pass, frameOf(inputs, row));
          for (const branch of ['negative', 'target'] as const) {
            const expected = sliceRows(predictionOf(whole, branch), row, row + 1);
            expect(predictionOf(one, branch).data).toBeAllClose(expected.data, close);
          }
        }
      });

      it('lets keyframes see each other', async () => {
        const { keyframes } = passesOf({ sourceMode });
        const before = await made.denoiser.run(keyframes, input);
        const edited = { ...input.latents.edited, data: input.latents.edited.data.slice() };
        edited.data.set(latents(1, 8).data, (2 * edited.data.length) / 3);
        const after = await made.denoiser.run(keyframes, { ...input, latents: { ...input.latents, edited } });
        const first = ({ tokens }: { readonly tokens: KeyframeTokens }) => {
          const target = tokens.attention.at(-1);
          const [branches = 0, count = 0, ...rest] = target?.dims ?? [];
          const rows = { dims: [branches * count, ...rest], data: target?.data ?? new Float32Array() };
          return sliceRows(rows, (branches - 1) * count, (branches - 1) * count + 1).data;
        };
        expect(first(after)).not.toBeAllClose(first(before), { atol: 1e-3 });
      });

      it('takes all from the left keyframe or all from the right one at the ends of the weight', async () => {
        const { pass, inputs } = await between();
        const one = frameOf(inputs, 0);
        const [pair] = one.pairs ?? [];
        const { left, right } = pair ?? { left: NaN, right: NaN };
        for (const [weight, side, keyframe] of [
          [0, 0, left],
          [1, 1, right],
        ] as const) {
          const blended = await made.denoiser.run(pass, { ...one, rightWeight: [weight] });
          const expected = await made.denoiser.run(pass, onlyFrom(one, side, keyframe));
          expect(predictionOf(blended, 'target').data).toBeAllClose(predictionOf(expected, 'target').data, close);
        }
      });
    });

    it('propagates a keyframe to itself as if it were edited alone', async () => {
      const { keyframes, frames } = passesOf({ sourceMode: 'recomputed' });
      const one = part(1, 2);
      const { tokens } = await made.denoiser.run(keyframes, one);
      const itself = { keyframes: tokens, pairs: [{ left: 0, right: 0 }], rightWeight: [0] };
      const propagated = await made.denoiser.run(frames, { ...one, ...itself });
      const expected = await made.denoiser.run(alone(noInjection), one);
      for (const branch of ['negative', 'target'] as const) {
        expect(predictionOf(propagated, branch).data).toBeAllClose(predictionOf(expected, branch).data, close);
      }
    });

    it.each([noInjection, { attention: true, features: false }])(
      'propagates keyframes to themselves as their own pass predicts them: %j',
      async (injection) => {
        const { keyframes, frames } = passesOf({ sourceMode: 'cached', injection });
        const outputs = await made.denoiser.run(keyframes, input);
        const own = identity(outputs.tokens.attention.map(({ dims }) => dims[2] ?? 0));
        const propagated = await made.denoiser.run(frames, {
          ...input,
          keyframes: outputs.tokens,
          correspondences: { nearest: Uint16Array.from([...own, ...own, ...own]) },
          pairs: [0, 1, 2].map((keyframe) => ({ left: keyframe, right: keyframe })),
          rightWeight: [0, 0.4, 1],
        });
        for (const branch of ['negative', 'target'] as const) {
          expect(predictionOf(propagated, branch).data).toBeAllClose(predictionOf(outputs, branch).data, close);
        }
      },
    );
  });
}

/** One frame of a pass between keyframes. */
function frameOf(inputs: PassInputs, row: number): PassInputs {
  const { latents, pairs = [], rightWeight = [], correspondences } = inputs;
  const one = (value: Tensor | undefined) => value && sliceRows(value, row, row + 1);
  const [source, edited] = [one(latents.source), one(latents.edited)];
  const size = (correspondences?.nearest.length ?? 0) / pairs.length;
  return {
    ...inputs,
    latents: { ...(source && { source }), ...(edited && { edited }) },
    pairs: pairs.slice(row, row + 1),
    rightWeight: rightWeight.slice(row, row + 1),
    ...(correspondences && {
      correspondences: { nearest: correspondences.nearest.slice(row * size, (row + 1) * size) },
    }),
  };
}

/** A frame that takes all of its tokens from one of its sides, 0 or 1. */
function onlyFrom(one: PassInputs, side: number, keyframe: number): PassInputs {
  const pairs: KeyframePair[] = [{ left: keyframe, right: keyframe }];
  const { correspondences } = one;
  if (correspondences === undefined) return { ...one, pairs };
  const half = correspondences.nearest.length / 2;
  const found = correspondences.nearest.slice(side * half, (side + 1) * half);
  return { ...one, pairs, correspondences: { nearest: Uint16Array.from([...found, ...found]) } };
}

/** Correspondences of `count` frames with places that mean nothing. */
function anywhere({ attention }: KeyframeTokens, count: number) {
  const random = createRandom(9);
  const lengths = attention.map(({ dims }) => dims[2] ?? 0);
  const sides = Array.from({ length: 2 * count }, () =>
    lengths.flatMap((length) => Array.from({ length }, () => random.below(length))),
  );
  return { nearest: Uint16Array.from(sides.flat()) };
}

/** Correspondences [1, 2, T] of a frame whose tokens are found where they are. */
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
