// Every operator against a few lines of JavaScript, and what the shape errors say.

import { describe, expect, it } from 'vitest';
import { at, evaluate, generate, indexTensor, randomTensor, sum, testBuilder, value } from '../../../test/run-graph.ts';
import { tensor, type Tensor } from '../tensor/tensor.ts';
import type { GraphBuilder } from './builder.ts';
import { multiplyDims, symbol, type Dims } from './dims.ts';
import type { Value } from './graph.ts';
import * as ops from './ops.ts';

const close = { atol: 1e-5 };

function expectClose(actual: Tensor, expected: Tensor): void {
  expect(actual.dims).toEqual(expected.dims);
  expect(actual.data).toBeAllClose(expected.data, close);
}

/** The values of the last axis at a position of the others. */
function lastAxis(x: Tensor, ...position: readonly number[]): number[] {
  return Array.from({ length: x.dims.at(-1) ?? 0 }, (_, i) => at(x, ...position, i));
}

describe('element-wise operators', () => {
  const a = randomTensor([2, 3, 4], 1);
  const b = randomTensor([3, 1], 2);
  it.each([
    ['add', ops.add, (x: number, y: number) => x + y],
    ['sub', ops.sub, (x: number, y: number) => x - y],
    ['mul', ops.mul, (x: number, y: number) => x * y],
    ['div', ops.div, (x: number, y: number) => x / y],
  ])('%s broadcasts the smaller shape', async (_, op, oracle) => {
    const result = await evaluate({ a, b }, (g, inputs) => op(g, inputs.a, inputs.b));
    const expected = generate([2, 3, 4], (i = 0, j = 0, k = 0) => oracle(at(a, i, j, k), at(b, j, 0)));
    expect(result.dims).toEqual([2, 3, 4]);
    expect(result.data).toBeAllClose(expected.data, { atol: 1e-4 });
  });

  it('sigmoid, clip and cast work value by value', async () => {
    const sigmoid = await evaluate({ a }, (g, x) => ops.sigmoid(g, x.a));
    expect(sigmoid.data).toBeAllClose(
      a.data.map((x) => 1 / (1 + Math.exp(-x))),
      close,
    );
    const clipped = await evaluate({ a }, (g, x) => ops.clip(g, x.a, -0.5, 0.25));
    expect(clipped.data).toBeAllClose(
      a.data.map((x) => Math.min(0.25, Math.max(-0.5, x))),
      close,
    );
    const whole = await evaluate({ a }, (g, x) => ops.cast(g, x.a, 'int32'));
    expect([...whole.data]).toEqual([...a.data].map((x) => Math.trunc(x) + 0));
  });

  it('the fused gelu is x/2 * (1 + erf(x / sqrt 2))', async () => {
    const points = tensor([4], Float32Array.from([-1, 0, 1, 2]));
    const fused = await evaluate({ points }, (g, x) => ops.fusedGelu(g, x.points));
    expect(fused.data).toBeAllClose([-0.158655, 0, 0.841345, 1.9545], close);
    const erf = await evaluate({ points }, (g, x) => ops.erf(g, x.points));
    expect(erf.data).toBeAllClose([-0.842701, 0, 0.842701, 0.995322], close);
  });
});

describe('conv', () => {
  const x = randomTensor([2, 3, 5, 4], 1);
  const weight = randomTensor([2, 3, 3, 3], 2);
  const bias = randomTensor([2], 3);
  const oracle = (stride: number, [top, left]: readonly number[], dims: readonly number[]) =>
    generate(dims, (n = 0, c = 0, row = 0, column = 0) => {
      const inside = (i: number, k: number, l: number) => {
        const [y, z] = [row * stride + k - (top ?? 0), column * stride + l - (left ?? 0)];
        return y >= 0 && y < 5 && z >= 0 && z < 4 ? at(x, n, i, y, z) : 0;
      };
      const products = sum(3, (i) => sum(3, (k) => sum(3, (l) => inside(i, k, l) * at(weight, c, i, k, l))));
      return at(bias, c) + products;
    });

  it.each([
    { options: {}, pads: [1, 1], dims: [2, 2, 5, 4] },
    { options: { stride: 2 }, pads: [1, 1], dims: [2, 2, 3, 2] },
    { options: { stride: 2, pads: [0, 0, 1, 1] }, pads: [0, 0], dims: [2, 2, 2, 2] },
  ] as const)('with $options gives $dims', async ({ options, pads, dims }) => {
    const result = await evaluate({ x, weight, bias }, (g, inputs) =>
      ops.conv(g, inputs.x, inputs.weight, inputs.bias, options),
    );
    const stride = 'stride' in options ? options.stride : 1;
    expectClose(result, oracle(stride, pads, dims));
  });
});

describe('products', () => {
  const a = randomTensor([2, 3, 4], 1);
  const b = randomTensor([2, 4, 5], 2);
  const matrix = randomTensor([4, 5], 3);

  it('matMul multiplies matrix by matrix, or all with one', async () => {
    const each = await evaluate({ a, b }, (g, x) => ops.matMul(g, x.a, x.b));
    expectClose(
      each,
      generate([2, 3, 5], (n = 0, i = 0, j = 0) => sum(4, (k) => at(a, n, i, k) * at(b, n, k, j))),
    );
    const one = await evaluate({ a, matrix }, (g, x) => ops.matMul(g, x.a, x.matrix));
    expectClose(
      one,
      generate([2, 3, 5], (n = 0, i = 0, j = 0) => sum(4, (k) => at(a, n, i, k) * at(matrix, k, j))),
    );
  });

  it('gemm multiplies with the transposed weight, with or without a bias', async () => {
    const [x, weight, bias] = [randomTensor([3, 4], 1), randomTensor([2, 4], 2), randomTensor([2], 3)];
    const oracle = (hasBias: boolean) =>
      generate([3, 2], (i = 0, j = 0) => sum(4, (k) => at(x, i, k) * at(weight, j, k)) + (hasBias ? at(bias, j) : 0));
    const biased = await evaluate({ x, weight, bias }, (g, v) => ops.gemm(g, v.x, v.weight, v.bias));
    expectClose(biased, oracle(true));
    const bare = await evaluate({ x, weight }, (g, v) => ops.gemm(g, v.x, v.weight, null));
    expectClose(bare, oracle(false));
  });
});

describe('views', () => {
  const x = randomTensor([2, 3, 4], 1);

  it('reshape keeps the order, and -1 takes an unknown number of frames', async () => {
    const frames = symbol('frames');
    const result = await evaluate(
      { x },
      (g, inputs) => {
        const rows = ops.reshape(g, inputs.x, [-1, 4]);
        expect(rows.dims).toEqual([multiplyDims(3, frames), 4]);
        return ops.reshape(g, rows, [-1, 6, 2]);
      },
      { dims: { x: [frames, 3, 4] } },
    );
    expectClose(result, { dims: [2, 6, 2], data: x.data });
  });

  it('reshape refuses what would not be whole for every number of frames', () => {
    const g = testBuilder();
    const rows = value(g, [multiplyDims(3, symbol('frames')), 4]);
    expect(() => ops.reshape(g, rows, [-1, 5])).toThrow("can't become [-1, 5]");
    expect(() => ops.reshape(g, rows, [12])).toThrow("can't become [12]");
  });

  it('transpose moves the axes', async () => {
    const result = await evaluate({ x }, (g, inputs) => ops.transpose(g, inputs.x, [2, 0, 1]));
    expectClose(
      result,
      generate([4, 2, 3], (k = 0, i = 0, j = 0) => at(x, i, j, k)),
    );
  });

  it('what is split and joined again is as before, on every axis', async () => {
    const even = randomTensor([2, 4, 6], 4);
    for (const axis of [0, 1, 2]) {
      const result = await evaluate({ even }, (g, inputs) => ops.concat(g, ops.split(g, inputs.even, axis, 2), axis));
      expectClose(result, even);
    }
  });

  it('split hands out equal parts in order', async () => {
    const second = await evaluate({ x }, (g, inputs) => ops.split(g, inputs.x, 2, 4)[1] as Value);
    expectClose(
      second,
      generate([2, 3, 1], (i = 0, j = 0) => at(x, i, j, 1)),
    );
  });

  it('slice cuts a range out of an axis', async () => {
    const result = await evaluate({ x }, (g, inputs) => ops.slice(g, inputs.x, 1, 1, 3));
    expectClose(
      result,
      generate([2, 2, 4], (i = 0, j = 0, k = 0) => at(x, i, j + 1, k)),
    );
  });

  it('slice of a whole axis is the value itself', () => {
    const g = testBuilder();
    const whole = value(g, [2, 3]);
    expect(ops.slice(g, whole, 1, 0, 3)).toBe(whole);
  });

  it('gather picks rows, and the indices take the place of the axis', async () => {
    const indices = indexTensor([2, 2], [2, 0, 1, 2]);
    const result = await evaluate({ x, indices }, (g, v) => ops.gather(g, v.x, v.indices, 1));
    const row = (i: number, j: number) => indices.data[i * 2 + j] ?? 0;
    expectClose(
      result,
      generate([2, 2, 2, 4], (n = 0, i = 0, j = 0, k = 0) => at(x, n, row(i, j), k)),
    );
  });
});

describe('reductions', () => {
  const x = randomTensor([2, 3, 7], 5);

  it('softmax sums to 1 along the last axis', async () => {
    const result = await evaluate({ x }, (g, v) => ops.softmax(g, v.x));
    const expected = generate([2, 3, 7], (i = 0, j = 0, k = 0) => {
      const total = sum(7, (l) => Math.exp(at(x, i, j, l)));
      return Math.exp(at(x, i, j, k)) / total;
    });
    expectClose(result, expected);
  });

  it('reduceMean is the mean of the last axis', async () => {
    const result = await evaluate({ x }, (g, v) => ops.reduceMean(g, v.x));
    const width = x.dims.at(-1) ?? 0;
    const expected = Array.from({ length: x.data.length / width }, (_, row) =>
      x.data.subarray(row * width, (row + 1) * width).reduce((sum, value) => sum + value / width, 0),
    );
    expect(result.dims).toEqual([...x.dims.slice(0, -1), 1]);
    expect(result.data).toBeAllClose(expected, { atol: 1e-6 });
  });

  it('reduceL2 is the length of the last axis', async () => {
    const result = await evaluate({ x }, (g, v) => ops.reduceL2(g, v.x));
    expectClose(
      result,
      generate([2, 3, 1], (i = 0, j = 0) => Math.hypot(...lastAxis(x, i, j))),
    );
  });

  it('argMax finds the largest, the first one among equals', async () => {
    const scores = tensor([3, 4], Float32Array.from([1, 5, 5, 0, -1, -2, -1, -3, 2, 2, 2, 2]));
    const result = await evaluate({ scores }, (g, v) => ops.argMax(g, v.scores));
    expect([...result.data]).toEqual([1, 0, 0]);
  });

  it('layerNormalization has mean 0 and variance 1 before weight and bias', async () => {
    const [weight, bias] = [randomTensor([7], 6), randomTensor([7], 7)];
    const result = await evaluate({ x, weight, bias }, (g, v) =>
      ops.layerNormalization(g, v.x, v.weight, v.bias, 1e-5),
    );
    expectClose(
      result,
      generate([2, 3, 7], (i = 0, j = 0, k = 0) => at(weight, k) * normalised(lastAxis(x, i, j), k) + at(bias, k)),
    );
  });

  it('instanceNormalization does so per channel', async () => {
    const [scale, bias] = [randomTensor([3], 6), randomTensor([3], 7)];
    const result = await evaluate({ x, scale, bias }, (g, v) =>
      ops.instanceNormalization(g, v.x, v.scale, v.bias, 1e-5),
    );
    expectClose(
      result,
      generate([2, 3, 7], (i = 0, j = 0, k = 0) => at(scale, j) * normalised(lastAxis(x, i, j), k) + at(bias, j)),
    );
  });
});

function normalised(values: readonly number[], index: number): number {
  const mean = sum(values.length, (i) => values[i] ?? 0) / values.length;
  const variance = sum(values.length, (i) => ((values[i] ?? 0) - mean) ** 2) / values.length;
  return ((values[index] ?? 0) - mean) / Math.sqrt(variance + 1e-5);
}

describe('resize and attention', () => {
  it('resizeNearest2x doubles rows and columns', async () => {
    const x = randomTensor([1, 2, 3, 2], 1);
    const result = await evaluate({ x }, (g, v) => ops.resizeNearest2x(g, v.x));
    expectClose(
      result,
      generate([1, 2, 6, 4], (n = 0, c = 0, i = 0, j = 0) => at(x, n, c, i >> 1, j >> 1)),
    );
  });
});

describe('a wrong shape is an error that names operator, rule and values', () => {
  const g = testBuilder();
  const v = (...dims: Dims): Value => ({ name: 'v', dtype: 'float32', dims });
  const int = (...dims: Dims): Value => ({ name: 'i', dtype: 'int32', dims });
  const half = (...dims: Dims): Value => ({ name: 'h', dtype: 'float16', dims });
  const cases: readonly (readonly [string, (g: GraphBuilder) => unknown])[] = [
    ['Add: needs shapes that broadcast, got v float32[2], v float32[3].', () => ops.add(g, v(2), v(3))],
    ['Mul: needs equal types, got v float32[2], h float16[2].', () => ops.mul(g, v(2), half(2))],
    ['Conv: needs rank 4, got v float32[2].', () => ops.conv(g, v(2), v(1, 1, 3, 3), v(1))],
    [
      'Conv: input channels must match the weight, got v float32[1, 4, 8, 8], v float32[2, 8, 3, 3].',
      () => ops.conv(g, v(1, 4, 8, 8), v(2, 8, 3, 3), v(2)),
    ],
    [
      'Conv: needs a fixed size on axis 2, got v float32[1, 4, rows, 8].',
      () => ops.conv(g, v(1, 4, symbol('rows'), 8), v(2, 4, 3, 3), v(2)),
    ],
    ['Gemm: needs rank 2, got v float32[2, 3, 4].', () => ops.gemm(g, v(2, 3, 4), v(4, 4), null)],
    ['Gemm: inner sizes must match, got v float32[2, 3], v float32[5, 4].', () => ops.gemm(g, v(2, 3), v(5, 4), null)],
    ['MatMul: inner sizes must match, got v float32[2, 3], v float32[4, 5].', () => ops.matMul(g, v(2, 3), v(4, 5))],
    [
      'MatMul: leading axes must be equal, got v float32[2, 3, 4], v float32[3, 4, 5].',
      () => ops.matMul(g, v(2, 3, 4), v(3, 4, 5)),
    ],
    ['MatMul: needs an axis -2, got v float32[4].', () => ops.matMul(g, v(3, 4), v(4))],
    ["Reshape: can't become [5, -1], got v float32[2, 3].", () => ops.reshape(g, v(2, 3), [5, -1])],
    ["Reshape: can't become [-1, -1], got v float32[2, 3].", () => ops.reshape(g, v(2, 3), [-1, -1])],
    ["Reshape: can't become [2, 2], got v float32[2, 3].", () => ops.reshape(g, v(2, 3), [2, 2])],
    ['Transpose: perm [0, 0] must order all axes, got v float32[2, 3].', () => ops.transpose(g, v(2, 3), [0, 0])],
    ['Concat: needs an input.', () => ops.concat(g, [], 0)],
    [
      'Concat: needs equal sizes off axis 0, got v float32[2, 3], v float32[2, 4].',
      () => ops.concat(g, [v(2, 3), v(2, 4)], 0),
    ],
    ['Concat: needs rank 2, got v float32[2, 3, 4].', () => ops.concat(g, [v(2, 3), v(2, 3, 4)], 0)],
    ['Concat: needs an axis 2, got v float32[2, 3].', () => ops.concat(g, [v(2, 3), v(2, 3)], 2)],
    ['Concat: needs equal types, got v float32[2], h float16[2].', () => ops.concat(g, [v(2), half(2)], 0)],
    ['Split: axis 1 must divide by 2, got v float32[2, 3].', () => ops.split(g, v(2, 3), 1, 2)],
    ['Split: needs an axis 2, got v float32[2, 3].', () => ops.split(g, v(2, 3), 2, 2)],
    ['Slice: 1..4 must lie inside axis 1, got v float32[2, 3].', () => ops.slice(g, v(2, 3), 1, 1, 4)],
    ['Slice: 2..2 must lie inside axis 1, got v float32[2, 3].', () => ops.slice(g, v(2, 3), 1, 2, 2)],
    ['Gather: needs integer indices, got v float32[2].', () => ops.gather(g, v(2, 3), v(2), 0)],
    ['Gather: needs an axis 2, got v float32[2, 3].', () => ops.gather(g, v(2, 3), int(2), 2)],
    ['Resize: needs rank 4, got v float32[2, 3].', () => ops.resizeNearest2x(g, v(2, 3))],
    [
      'MultiHeadAttention: needs rank 3, got v float32[2, 3].',
      () => ops.multiHeadAttention(g, v(2, 3), v(2, 3), v(2, 3), 1),
    ],
    [
      'MultiHeadAttention: 5 heads must divide the width, got v float32[1, 2, 8].',
      () => ops.multiHeadAttention(g, v(1, 2, 8), v(1, 2, 8), v(1, 2, 8), 5),
    ],
  ];
  it.each(cases)('%s', (message, build) => {
    expect(() => build(g)).toThrow(expect.objectContaining({ name: 'ShapeError', message }) as Error);
  });
});

describe('shapes are known before a graph runs', () => {
  it('also where the number of frames is not', () => {
    const g = testBuilder();
    const frames = symbol('frames');
    const x = value(g, [frames, 8, 6, 5]);
    expect(ops.resizeNearest2x(g, x).dims).toEqual([frames, 8, 12, 10]);
    expect(ops.split(g, value(g, [multiplyDims(3, frames), 4]), 0, 3)[0]?.dims).toEqual([frames, 4]);
    expect(ops.concat(g, [x, x, x], 0).dims[0]).toEqual(multiplyDims(3, frames));
  });
});
