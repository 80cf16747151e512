// A FastDenoiser of arithmetic instead of a network, in the manner of the fake Denoiser: its one block's tokens are the
// latents' pixels, and every frame, keyframe, branch and record leaves its mark on the result.

import type { Tensor } from '../companion-server/src/tensor/tensor.ts';
import type {
  BranchPrediction,
  CarriedInput,
  FastDenoiser,
  JointInput,
  KeyframePair,
  SourceRecords,
  SourceTokens,
} from '../companion-server/src/tokenflow/fast-denoiser.ts';
import { FakeDenoiser, mean, pixels } from './fake-denoiser.ts';
import { at, generate, sum } from './run-graph.ts';

export class FakeFastDenoiser extends FakeDenoiser implements FastDenoiser {
  /** Frames of each carried pass, and branches of each. */
  readonly carried: { readonly frames: number; readonly branches: number }[] = [];
  /** Keyframes of each joint pass, and whether it was guided and saw the source. */
  readonly jointly: { readonly keyframes: number; readonly guided: boolean; readonly hasSource: boolean }[] = [];

  async recordKeyframes(latents: Tensor, timestep: number, context: Tensor) {
    const prediction = await this.predict(latents, timestep, context);
    const raw = pixels(latents);
    const [, , channels = 0] = raw.dims;
    const size = (k: number, s: number) => Math.sqrt(sum(channels, (d) => at(raw, k, s, d) ** 2));
    const unit = generate(raw.dims, (k = 0, s = 0, d = 0) => at(raw, k, s, d) / size(k, s));
    return { prediction, tokens: [unit] };
  }

  async recordFrames(
    latents: Tensor,
    timestep: number,
    context: Tensor,
    { tokens, pairs }: { readonly tokens: SourceTokens; readonly pairs: readonly KeyframePair[] },
  ): Promise<{ readonly prediction: Tensor; readonly records: SourceRecords }> {
    const queries = pixels(latents);
    const [, length = 0, channels = 0] = queries.dims;
    const [keys] = tokens;
    if (keys === undefined) throw new TypeError('no tokens');
    const find = (frame: number, keyframe: number): number[] =>
      Array.from({ length }, (_, s) => {
        const similar = Array.from({ length }, (__, other) =>
          sum(channels, (d) => at(queries, frame, s, d) * at(keys, keyframe, other, d)),
        );
        return similar.indexOf(Math.max(...similar));
      });
    const nearest = pairs.flatMap(({ left, right }, i) => [...find(i, left), ...find(i, right)]);
    const prediction = await this.predict(latents, timestep, context);
    return { prediction, records: { nearest: Uint16Array.from(nearest) } };
  }

  editJointly({ edited, source, timestep, contexts, injection, guided }: JointInput) {
    const tokens = pixels(edited);
    const [count = 0, length = 0, channels = 0] = tokens.dims;
    this.jointly.push({ keyframes: count, guided, hasSource: source !== null });
    const together = (s: number, d: number) => sum(count, (k) => at(tokens, k, s, d)) / count;
    const kept = source === null ? null : pixels(source);
    const share = 0.2 * Number(injection.attention) + 0.3 * Number(injection.features);
    const texts = guided ? [contexts.negative, contexts.target] : [contexts.target];
    const shifts = texts.map((text) => mean(text) + timestep / 1000);
    const dims = [texts.length, count, length, channels];
    const block = generate(dims, (branch = 0, k = 0, s = 0, d = 0) => {
      const structure = kept === null ? 0 : share * at(kept, k, s, d);
      const seen = 0.5 * at(tokens, k, s, d) + 0.1 * together(s, d) + structure;
      return seen + (shifts[branch] ?? NaN);
    });
    const predicted = (branch: number) => predictFrom(edited, (k, s, d) => at(block, branch, k, s, d));
    const target = predicted(texts.length - 1);
    const prediction = { negative: guided ? predicted(0) : null, target };
    return Promise.resolve({ prediction, tokens: [block] });
  }

  editCarried(input: CarriedInput): Promise<BranchPrediction> {
    const { edited, records, pairs, rightWeight, tokens } = input;
    const [block] = tokens;
    if (block === undefined) throw new TypeError('no tokens');
    const [branches = 0, , length = 0] = block.dims;
    this.carried.push({ frames: pairs.length, branches });
    const predicted = (branch: number) =>
      predictFrom(edited, (n, s, d) => {
        const { left = NaN, right = NaN } = pairs[n] ?? {};
        const found = (side: number) => records.nearest[(2 * n + side) * length + s] ?? NaN;
        const from = at(block, branch, left, found(0), d);
        return from + (rightWeight[n] ?? NaN) * (at(block, branch, right, found(1), d) - from);
      });
    const negative = branches === 2 ? predicted(0) : null;
    return Promise.resolve({ negative, target: predicted(branches - 1) });
  }
}

/** A tenth of the latents on the attention's output. */
function predictFrom(edited: Tensor, attended: (n: number, s: number, d: number) => number): Tensor {
  const [, , , width = 0] = edited.dims;
  return generate(
    edited.dims,
    (n = 0, d = 0, row = 0, column = 0) => attended(n, row * width + column, d) + 0.1 * at(edited, n, d, row, column),
  );
}
