// Attention to words against plain loops, on random queries and keys.

import { expect, it } from 'vitest';
import { at, generate, randomTensor, runGraph, sum, testBuilder } from '../../../test/run-graph.ts';
import { multiplyDims, symbol } from '../onnx/dims.ts';
import { wordAttention } from './word-attention.ts';

const [frames, length, heads, depth, tokens] = [3, 4, 2, 5, 7];
const channels = heads * depth;
const place = {
  key: 'block.attn1',
  projections: { query: 'q', key: 'k', value: 'v', out: 'out' },
  ...{ index: 2, heads, upcast: false, length, channels },
};

it('is the mean over the heads of the share that each token gives to the weighed tokens of the prompt', async () => {
  const query = randomTensor([1, frames * length, channels], 1);
  const keys = randomTensor([1, tokens, channels], 2);
  const words = generate([tokens, 1], (token = 0) => (token === 2 || token === 3 ? 0.5 : 0));
  const g = testBuilder();
  const hook = wordAttention(g);
  const queries = g.input('query', 'float32', [1, multiplyDims(length, symbol('frames')), channels]);
  hook(g, queries, g.input('keys', 'float32', [1, symbol('tokens'), channels]), { ...place, branches: 1 });
  const { 'words_out.2': found } = await runGraph(g.finish(), { query, keys, words });

  const expected = generate([frames, length], (frame = 0, token = 0) => {
    const shares = Array.from({ length: heads }, (_, head) => {
      const weights = Array.from({ length: tokens }, (_, word) => {
        const product = sum(
          depth,
          (d) => at(query, 0, frame * length + token, head * depth + d) * at(keys, 0, word, head * depth + d),
        );
        return Math.exp(product / Math.sqrt(depth));
      });
      const total = sum(tokens, (word) => weights[word] ?? 0);
      return (0.5 * ((weights[2] ?? 0) + (weights[3] ?? 0))) / total;
    });
    return sum(heads, (head) => shares[head] ?? 0) / heads;
  });
  expect(found?.dims).toEqual([frames, length]);
  expect(found?.data).toBeAllClose(expected.data, { atol: 1e-5 });
});

it('belongs to passes of one branch', () => {
  const g = testBuilder();
  const hook = wordAttention(g);
  const query = g.input('query', 'float32', [2, symbol('frames'), channels]);
  const keys = g.input('keys', 'float32', [2, symbol('tokens'), channels]);
  expect(() => {
    hook(g, query, keys, { ...place, branches: 2 });
  }).toThrow('block.attn1: words are looked for in one branch, got 2.');
});
