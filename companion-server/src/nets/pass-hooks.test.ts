// The propagation's search and blend against plain loops, on random tokens.

import { describe, expect, it } from 'vitest';
import {
  at,
  generate,
  indexTensor,
  randomTensor,
  runGraph,
  sum,
  testBuilder,
  type Tensor,
} from '../../../test/run-graph.ts';
import { multiplyDims, symbol } from '../onnx/dims.ts';
import { passHooks } from './pass-hooks.ts';
import { noInjection, predictionAlone, type Pass } from './pass.ts';

interface Plan {
  readonly jobFrame: readonly number[];
  readonly jobKeyframe: readonly number[];
  readonly leftJob: readonly number[];
  readonly rightJob: readonly number[];
  readonly rightWeight: readonly number[];
}

const channels = 4;
const branchCount = 3;
const pass: Pass = {
  branches: ['source', 'negative', 'target'],
  attention: 'propagated',
  correspondences: 'searched',
  injection: noInjection,
  emits: predictionAlone,
};

/** What the pass hands on for all frames of all branches [3*frames*length, C]. */
async function propagate(normed: Tensor, source: Tensor, tokens: Tensor, plan: Plan): Promise<Tensor> {
  const length = source.dims[1] ?? 0;
  const g = testBuilder();
  const hooks = passHooks(pass, g, { features: 'none', attention: /^none/ });
  const rows = g.input('normed', 'float32', [multiplyDims(branchCount * length, symbol('frames')), channels]);
  const place = {
    key: 'block.attn1',
    projections: { query: 'block.q', key: 'block.k', value: 'block.v', out: 'block.out' },
    index: 0,
    heads: 1,
    upcast: false,
    branches: 3,
  };
  g.output('result', hooks.selfAttention(g, rows, { ...place, length, channels }));
  const { jobFrame, jobKeyframe, leftJob, rightJob, rightWeight } = plan;
  const index = (values: readonly number[]) => indexTensor([values.length], values);
  const { result } = await runGraph(g.finish(), {
    normed,
    'source_tokens.0': source,
    'attention.0': tokens,
    job_frame: index(jobFrame),
    job_keyframe: index(jobKeyframe),
    left_job: index(leftJob),
    right_job: index(rightJob),
    right_weight: { dims: [rightWeight.length], data: Float32Array.from(rightWeight) },
  });
  if (result === undefined) throw new TypeError('no result');
  return result;
}

/** [K, length, C], each token of length 1, as the keyframe pass returns them. */
function unitTokens(keyframes: number, length: number, seed: number): Tensor {
  const raw = randomTensor([keyframes, length, channels], seed);
  const size = (k: number, t: number) => Math.sqrt(sum(channels, (c) => at(raw, k, t, c) ** 2));
  return generate(raw.dims, (k = 0, t = 0, c = 0) => at(raw, k, t, c) / size(k, t));
}

/** The first of the keyframe's tokens with the largest product with row `row`. */
function mostSimilar(normed: Tensor, row: number, source: Tensor, keyframe: number): number {
  const [, length = 0] = source.dims;
  let [best, largest] = [0, -Infinity];
  for (let other = 0; other < length; other++) {
    let product = 0;
    for (let c = 0; c < channels; c++) {
      const key = source.data[(keyframe * length + other) * channels + c] ?? 0;
      product += (normed.data[row * channels + c] ?? 0) * key;
    }
    if (product > largest) [best, largest] = [other, product];
  }
  return best;
}

function oracle(normed: Tensor, source: Tensor, tokens: Tensor, plan: Plan): Tensor {
  const [, length = 0] = source.dims;
  const frames = plan.leftJob.length;
  const nearest = plan.jobFrame.map((frame, job) => {
    const keyframe = plan.jobKeyframe[job] ?? 0;
    // The source branch's frames are the first rows.
    return Array.from({ length }, (_, token) => mostSimilar(normed, frame * length + token, source, keyframe));
  });
  const taken = (branch: number, job: number, token: number, c: number) =>
    at(tokens, branch, plan.jobKeyframe[job] ?? 0, nearest[job]?.[token] ?? 0, c);
  return generate([branchCount * frames * length, channels], (row = 0, c = 0) => {
    const branch = Math.floor(row / (frames * length));
    const frame = Math.floor(row / length) % frames;
    const weight = plan.rightWeight[frame] ?? 0;
    const left = taken(branch, plan.leftJob[frame] ?? 0, row % length, c);
    const right = taken(branch, plan.rightJob[frame] ?? 0, row % length, c);
    return left + weight * (right - left);
  });
}

describe('propagation', () => {
  it.each([
    ['few tokens, at once', 6],
    ['many tokens, in chunks', 1536],
  ])('takes the most similar tokens of both keyframes and blends them: %s', async (_, length) => {
    const plan = {
      jobFrame: [0, 0, 2, 1],
      jobKeyframe: [1, 0, 2, 1],
      leftJob: [1, 3, 2],
      rightJob: [0, 3, 2],
      rightWeight: [0.3, 0, 1],
    };
    const normed = randomTensor([branchCount * 3 * length, channels], 1);
    const source = unitTokens(3, length, 2);
    const tokens = randomTensor([branchCount, 3, length, channels], 3);
    const result = await propagate(normed, source, tokens, plan);
    expect(result.data).toBeAllClose(oracle(normed, source, tokens, plan).data, { atol: 1e-5 });
  });

  it('does not depend on how long the tokens of a frame are, only on where they point', async () => {
    const plan = { jobFrame: [0], jobKeyframe: [0], leftJob: [0], rightJob: [0], rightWeight: [0] };
    const normed = randomTensor([branchCount * 6, channels], 1);
    const longer = generate(normed.dims, (row = 0, c = 0) => (row + 1) * at(normed, row, c));
    const [source, tokens] = [unitTokens(1, 6, 2), randomTensor([branchCount, 1, 6, channels], 3)];
    expect(await propagate(longer, source, tokens, plan)).toEqual(await propagate(normed, source, tokens, plan));
  });

  it('from a keyframe to itself returns its own tokens', async () => {
    const source = unitTokens(1, 8, 2);
    const normed = { dims: [branchCount * 8, channels], data: new Float32Array(branchCount * 8 * channels) };
    normed.data.set(source.data);
    const tokens = randomTensor([branchCount, 1, 8, channels], 3);
    const plan = { jobFrame: [0], jobKeyframe: [0], leftJob: [0], rightJob: [0], rightWeight: [0] };
    expect((await propagate(normed, source, tokens, plan)).data).toEqual(tokens.data);
  });

  it('takes the first of several keyframe tokens that are equally similar', async () => {
    const source = generate([1, 3, channels], (_k, token = 0, c = 0) => (c === 0 ? Number(token > 0) : 0));
    const normed = generate([branchCount * 3, channels], () => 1);
    const tokens = randomTensor([branchCount, 1, 3, channels], 3);
    const plan = { jobFrame: [0], jobKeyframe: [0], leftJob: [0], rightJob: [0], rightWeight: [0] };
    const result = await propagate(normed, source, tokens, plan);
    expect(result).toEqual(generate(result.dims, (row = 0, c = 0) => at(tokens, Math.floor(row / 3), 0, 1, c)));
  });
});
