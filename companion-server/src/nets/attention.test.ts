import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  at,
  evaluate,
  fused,
  generate,
  plain,
  randomTensor,
  sum,
  testBuilder,
  type Tensor,
} from '../../../test/run-graph.ts';
import { multiplyDims, symbol } from '../onnx/dims.ts';
import * as ops from '../onnx/ops.ts';
import { attention, chunkCount, type AttentionOptions } from './attention.ts';

function oracle(query: Tensor, key: Tensor, value: Tensor, heads: number): Tensor {
  const [batches = 0, queries = 0, width = 0] = query.dims;
  const keys = key.dims[1] ?? 0;
  const depth = width / heads;
  return generate([batches, queries, width], (n = 0, i = 0, c = 0) => {
    const first = Math.floor(c / depth) * depth;
    const score = (j: number) =>
      Math.exp(sum(depth, (k) => at(query, n, i, first + k) * at(key, n, j, first + k)) / Math.sqrt(depth));
    const total = sum(keys, score);
    return sum(keys, (j) => (score(j) / total) * at(value, n, j, c));
  });
}

const [query, key, value] = [randomTensor([2, 12, 8], 1), randomTensor([2, 5, 8], 2), randomTensor([2, 5, 8], 3)];
const run = (
  feeds: { query: Tensor; key: Tensor; value: Tensor },
  options: AttentionOptions,
  operators = plain,
  dims = {},
) =>
  evaluate(feeds, (g, v) => attention(g, v.query, v.key, v.value, options), {
    fused: operators,
    dims,
  });

describe.each([
  ['fused', fused],
  ['plain', plain],
])('%s attention', (_, operators) => {
  it.each([1, 2, 4])('with %i heads is softmax(q k / sqrt d) v', async (heads) => {
    const options = { heads, queries: 12, keys: 5 };
    const result = await run({ query, key, value }, options, operators);
    expect(result.dims).toEqual([2, 12, 8]);
    expect(result.data).toBeAllClose(oracle(query, key, value, heads).data, { atol: 1e-5 });
  });

  it.each([
    ['pictures', [symbol('frames'), 12, 8], [symbol('frames'), 5, 8]],
    ['tokens', [2, symbol('queries'), 8], [2, symbol('keys'), 8]],
  ])('takes an unknown number of %s', async (_axis, queryDims, keyDims) => {
    const dims = { query: queryDims, key: keyDims, value: keyDims };
    const options = { heads: 2, queries: 12, keys: 5 };
    const result = await run({ query, key, value }, options, operators, dims);
    expect(result.data).toBeAllClose(oracle(query, key, value, 2).data, { atol: 1e-5 });
  });
});

it('computes scores in single precision where half precision is not enough', async () => {
  const large = (x: Tensor): Tensor => ({ dims: x.dims, data: x.data.map((value) => 300 * value) });
  const feeds = { query: large(query), key: large(key), value };
  const options = { heads: 1, queries: 12, keys: 5, upcast: true };
  const result = await evaluate(feeds, (g, v) => attention(g, v.query, v.key, v.value, options), {
    fused: plain,
    float: 'float16',
  });
  expect(result.data).toBeAllClose(oracleOfLargest(feeds).data, { atol: 1e-2 });
  const g = testBuilder({ fused: plain, float: 'float16' });
  const half = (dims: readonly number[]) => ops.cast(g, g.input('x', 'float32', dims), 'float16');
  g.output('y', attention(g, half([2, 12, 8]), half([2, 5, 8]), half([2, 5, 8]), options));
  const softmax = g.finish().nodes.filter(({ op }) => op === 'Softmax');
  expect(softmax.flatMap(({ outputs }) => outputs.map(({ dtype }) => dtype))).toEqual(['float32']);
});

/** With scores this far apart, every query takes the value of its best key alone. */
function oracleOfLargest({ query, key, value }: Record<'query' | 'key' | 'value', Tensor>): Tensor {
  const [batches = 0, queries = 0, width = 0] = query.dims;
  return generate([batches, queries, width], (n = 0, i = 0, c = 0) => {
    const scores = Array.from({ length: key.dims[1] ?? 0 }, (_, j) =>
      sum(width, (k) => at(query, n, i, k) * at(key, n, j, k)),
    );
    return at(value, n, scores.indexOf(Math.max(...scores)), c);
  });
}

describe('plain attention in chunks', () => {
  const scores = 16 * 1024 * 1024;

  it.each([2, 3, 12])('of which there are %i gives the same numbers', async (chunks) => {
    // The bounds decide, not the true lengths: a small picture is cut as a large one would be.
    const options = { heads: 2, queries: 12, keys: (scores * (chunks - 0.5)) / 24 };
    const result = await run({ query, key, value }, options);
    expect(result.data).toBeAllClose(oracle(query, key, value, 2).data, { atol: 1e-5 });
  });

  it('cuts a joint pass of any number of keyframes by the tokens of one', async () => {
    const joint = [randomTensor([2, 12, 8], 4), randomTensor([2, 12, 8], 5)] as const;
    const feeds = { query, key: joint[0], value: joint[1] };
    const length = [2, multiplyDims(4, symbol('keyframes')), 8];
    const options = { heads: 2, queries: 16 * 4, keys: scores / 64, chunkUnit: 4 };
    const result = await run(feeds, options, plain, { query: length, key: length, value: length });
    expect(result.data).toBeAllClose(oracle(query, ...joint, 2).data, { atol: 1e-5 });
  });
});

describe('the number of chunks', () => {
  it('is the smallest divisor that is large enough', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.double({ min: 0, max: 500, noNaN: true }), (length, wanted) => {
        const count = chunkCount(length, wanted);
        expect(length % count).toBe(0);
        expect(count).toBeGreaterThanOrEqual(Math.min(wanted, length));
        for (let smaller = Math.ceil(Math.max(1, wanted)); smaller < count; smaller++) {
          expect(length % smaller).not.toBe(0);
        }
      }),
    );
  });
});
