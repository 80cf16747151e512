// A Denoiser of arithmetic instead of a network: its one block's tokens are the latents' pixels. What it computes
// has no meaning, but every frame, keyframe, branch and correspondence leaves its mark on the result.

import type { Conditioning } from '../companion-server/src/nets/conditioning.ts';
import { editBranchesOf, predictedBranchesOf, type Branch, type Pass } from '../companion-server/src/nets/pass.ts';
import { sizeOf, tensor, type Tensor } from '../companion-server/src/tensor/tensor.ts';
import type { Correspondences, KeyframePair } from '../companion-server/src/tokenflow/correspondences.ts';
import type {
  BranchConditioning,
  Denoiser,
  PassInputs,
  PassOutputs,
} from '../companion-server/src/tokenflow/denoiser.ts';
import { at, generate, sum } from './run-graph.ts';

export const mean = ({ data }: Tensor): number => sum(data.length, (i) => data[i] ?? 0) / data.length;

/** [N, C, h, w] -> [N, h*w, C] */
export function pixels(latents: Tensor): Tensor {
  const [n = 0, c = 0, h = 0, w = 0] = latents.dims;
  return generate([n, h * w, c], (i = 0, s = 0, d = 0) => at(latents, i, d, Math.floor(s / w), s % w));
}

export class FakeDenoiser implements Denoiser {
  /** The passes that ran, and over how many frames. */
  readonly passes: { readonly pass: Pass; readonly frames: number }[] = [];

  /** What the network predicts of latents [N, C, h, w] where no other frame has a part in it. */
  predict(latents: Tensor, timestep: number, { tokens }: Conditioning): Promise<Tensor> {
    const shift = mean(tokens) + timestep / 1000;
    return Promise.resolve({ ...latents, data: latents.data.map((x) => 0.7 * x + shift) });
  }

  async run(pass: Pass, inputs: PassInputs): Promise<PassOutputs> {
    const { source, edited } = inputs.latents;
    this.passes.push({ pass, frames: (source ?? edited)?.dims[0] ?? 0 });
    switch (pass.attention) {
      case 'self':
        return this.selfPass(pass, inputs);
      case 'extended':
        return extendedPass(pass, inputs);
      case 'propagated':
        return propagatedPass(pass, inputs);
    }
  }

  private async selfPass(pass: Pass, inputs: PassInputs): Promise<PassOutputs> {
    const { latents, timestep, conditioning, keyframes, pairs } = inputs;
    const prediction: Partial<Record<Branch, Tensor>> = {};
    for (const branch of predictedBranchesOf(pass)) {
      const seen = given(branch === 'source' ? latents.source : latents.edited);
      prediction[branch] = await this.predict(seen, timestep, given(conditioning[branch]));
    }
    const { emits } = pass;
    return {
      prediction,
      tokens: { source: emits.sourceTokens ? [unitLength(pixels(given(latents.source)))] : [], attention: [] },
      correspondences: emits.correspondences
        ? search(given(latents.source), given(keyframes).source, given(pairs))
        : null,
    };
  }
}

/** Half of the latents, a tenth of all frames' together, some of the source where it is injected, and the text. */
function extendedPass(pass: Pass, { latents, timestep, conditioning }: PassInputs): PassOutputs {
  const tokens = pixels(given(latents.edited));
  const source = pass.branches.includes('source') ? pixels(given(latents.source)) : null;
  const [count = 0, length = 0, channels = 0] = tokens.dims;
  const together = (s: number, d: number) => sum(count, (k) => at(tokens, k, s, d)) / count;
  const share = 0.2 * Number(pass.injection.attention) + 0.3 * Number(pass.injection.features);
  const attended = (branch: Branch, k: number, s: number, d: number) => {
    const ofSource = source === null ? 0 : at(source, k, s, d);
    if (branch === 'source') return ofSource;
    const shift = mean(given(conditioning[branch]).tokens) + timestep / 1000;
    return 0.5 * at(tokens, k, s, d) + 0.1 * together(s, d) + share * ofSource + shift;
  };
  const emitted = pass.emits.attention;
  const block = generate([emitted.length, count, length, channels], (b = 0, k = 0, s = 0, d = 0) =>
    attended(emitted[b] ?? 'target', k, s, d),
  );
  const predicted = predictedBranchesOf(pass).map((branch) => {
    const prediction = predictFrom(given(latents.edited), (k, s, d) => attended(branch, k, s, d));
    return [branch, prediction] as const;
  });
  return {
    prediction: Object.fromEntries(predicted),
    tokens: { source: pass.emits.sourceTokens ? [unitLength(given(source))] : [], attention: [block] },
    correspondences: null,
  };
}

function propagatedPass(pass: Pass, inputs: PassInputs): PassOutputs {
  const { latents, keyframes, rightWeight } = inputs;
  const pairs = given(inputs.pairs);
  const [block] = given(keyframes).attention;
  const tokens = given(block);
  const [, , length = 0] = tokens.dims;
  const { nearest } =
    pass.correspondences === 'searched'
      ? search(given(latents.source), given(keyframes).source, pairs)
      : given(inputs.correspondences);
  const predicted = editBranchesOf(pass).map((branch) => {
    const row = pass.branches.indexOf(branch);
    const prediction = predictFrom(given(latents.edited), (n, s, d) => {
      const { left = NaN, right = NaN } = pairs[n] ?? {};
      const found = (side: number) => nearest[(2 * n + side) * length + s] ?? NaN;
      const from = at(tokens, row, left, found(0), d);
      return from + (rightWeight?.[n] ?? NaN) * (at(tokens, row, right, found(1), d) - from);
    });
    return [branch, prediction] as const;
  });
  return { prediction: Object.fromEntries(predicted), tokens: { source: [], attention: [] }, correspondences: null };
}

/** The most similar token of each frame's two keyframes. */
function search(latents: Tensor, blocks: readonly Tensor[], pairs: readonly KeyframePair[]): Correspondences {
  const queries = pixels(latents);
  const keys = given(blocks[0]);
  const [, length = 0, channels = 0] = queries.dims;
  const find = (frame: number, keyframe: number): number[] =>
    Array.from({ length }, (_, s) => {
      const similar = Array.from({ length }, (__, other) =>
        sum(channels, (d) => at(queries, frame, s, d) * at(keys, keyframe, other, d)),
      );
      return similar.indexOf(Math.max(...similar));
    });
  const nearest = pairs.flatMap(({ left, right }, i) => [...find(i, left), ...find(i, right)]);
  return { nearest: Uint16Array.from(nearest) };
}

function unitLength(tokens: Tensor): Tensor {
  const [, , channels = 0] = tokens.dims;
  const size = (k: number, s: number) => Math.sqrt(sum(channels, (d) => at(tokens, k, s, d) ** 2));
  return generate(tokens.dims, (k = 0, s = 0, d = 0) => at(tokens, k, s, d) / size(k, s));
}

/** A tenth of the latents on the attention's output. */
function predictFrom(edited: Tensor, attended: (n: number, s: number, d: number) => number): Tensor {
  const [, , , width = 0] = edited.dims;
  return generate(
    edited.dims,
    (n = 0, d = 0, row = 0, column = 0) => attended(n, row * width + column, d) + 0.1 * at(edited, n, d, row, column),
  );
}

function given<T>(value: T | null | undefined): T {
  if (value === undefined || value === null) throw new TypeError('The pass lacks an input.');
  return value;
}

/** A conditioning whose only property is its mean. */
export function flatConditioning(value: number, dims: readonly number[] = [1, 2, 3]): Conditioning {
  return { tokens: tensor(dims, new Float32Array(sizeOf(dims)).fill(value)) };
}

/** Told apart by their means. */
export const flatBranches: BranchConditioning = {
  source: flatConditioning(0.1),
  negative: flatConditioning(0.2),
  target: flatConditioning(-0.3),
};
