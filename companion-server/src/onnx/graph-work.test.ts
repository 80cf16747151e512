import { expect, test } from 'vitest';
import { GraphBuilder } from './builder.ts';
import { symbol } from './dims.ts';
import { multiplyAdds } from './graph-work.ts';
import * as ops from './ops.ts';

const builder = () =>
  new GraphBuilder({
    name: 'test',
    weights: new Map(),
    float: 'float32',
    fused: {
      multiHeadAttention: true,
      wideValues: true,
      gelu: false,
      gemm: true,
      instanceNormalization: true,
    },
  });

test('a convolution multiplies every output by its window of the input', () => {
  const g = builder();
  const image = g.input('image', 'float32', [symbol('frames'), 3, 8, 6]);
  const [kernel, bias] = [g.input('kernel', 'float32', [5, 3, 3, 3]), g.input('bias', 'float32', [5])];
  g.output('y', ops.conv(g, image, kernel, bias));
  expect(multiplyAdds(g.finish(), { frames: 2 })).toBe(2 * 5 * 8 * 6 * (3 * 3 * 3));
});

test('a matrix product multiplies every output along the inner side', () => {
  const g = builder();
  const rows = g.input('rows', 'float32', [symbol('rows'), 7]);
  const weight = g.input('weight', 'float32', [4, 7]);
  const projected = ops.gemm(g, rows, weight, null);
  g.output('y', ops.matMul(g, projected, ops.transpose(g, projected, [1, 0])));
  expect(multiplyAdds(g.finish(), { rows: 3 })).toBe(3 * 4 * 7 + 3 * 3 * 4);
});

test('attention multiplies queries by keys, and weights by values', () => {
  const g = builder();
  const tokens = (name: string, length: number) => g.input(name, 'float32', [symbol('frames'), length, 8]);
  const [q, k, v] = [tokens('q', 5), tokens('k', 9), tokens('v', 9)];
  g.output('y', ops.multiHeadAttention(g, q, k, v, 2));
  expect(multiplyAdds(g.finish(), { frames: 2 })).toBe(2 * (5 * 9 * 8 + 5 * 9 * 8));
});
