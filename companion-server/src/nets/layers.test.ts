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
  value,
  type GraphSetting,
  type Tensor,
} from '../../../test/run-graph.ts';
import { symbol } from '../onnx/dims.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { gelu, groupNorm, layerNorm, linear, quickGelu, silu, toImage, toTokens } from './layers.ts';

/** A builder whose weights are constants, so that layers can be tried without a checkpoint. */
function withWeights(weights: Readonly<Record<string, Tensor>>, g: GraphBuilder): GraphBuilder {
  g.weight = (key, dims) => {
    const weight = weights[key];
    if (weight === undefined) throw new TypeError(`no weight ${key}`);
    return g.constant('float32', [...weight.data], dims);
  };
  return g;
}

const image = randomTensor([2, 6, 3, 5], 1);
const close = { atol: 1e-5 };

describe('group norm', () => {
  it.each([1, 2, 3, 6])('with %i groups has mean 0 and variance 1 per group', async (groups) => {
    const weights = { 'norm.weight': randomTensor([6], 2), 'norm.bias': randomTensor([6], 3) };
    const result = await evaluate(
      { image },
      (g, v) => groupNorm(withWeights(weights, g), v.image, 'norm', { groups, epsilon: 1e-5 }),
      { dims: { image: [symbol('frames'), 6, 3, 5] } },
    );
    const size = 6 / groups;
    const expected = generate([2, 6, 3, 5], (n = 0, c = 0, i = 0, j = 0) => {
      const first = Math.floor(c / size) * size;
      const over = (of: (x: number) => number) =>
        sum(size, (k) => sum(3, (y) => sum(5, (x) => of(at(image, n, first + k, y, x))))) / (size * 15);
      const mean = over((x) => x);
      const variance = over((x) => (x - mean) ** 2);
      const normal = (at(image, n, c, i, j) - mean) / Math.sqrt(variance + 1e-5);
      return normal * at(weights['norm.weight'], c) + at(weights['norm.bias'], c);
    });
    expect(result.data).toBeAllClose(expected.data, close);
  });
});

describe('linear and layer norm', () => {
  const rows = randomTensor([4, 6], 1);
  const weights = {
    'proj.weight': randomTensor([3, 6], 2),
    'proj.bias': randomTensor([3], 3),
    'norm.weight': randomTensor([6], 4),
    'norm.bias': randomTensor([6], 5),
  };

  it.each([true, false])('give the same numbers fused and plain (bias: %s)', async (hasBias) => {
    const run = (setting: GraphSetting) =>
      evaluate({ rows }, (g, v) => linear(withWeights(weights, g), v.rows, 'proj', 3, { hasBias }), setting);
    const expected = generate([4, 3], (i = 0, j = 0) => {
      const product = sum(6, (k) => at(rows, i, k) * at(weights['proj.weight'], j, k));
      return product + (hasBias ? at(weights['proj.bias'], j) : 0);
    });
    expect((await run({ fused })).data).toBeAllClose(expected.data, close);
    expect((await run({ fused: plain })).data).toBeAllClose(expected.data, close);
  });

  it('layer norm ignores the size of a row', async () => {
    const norm = (x: Tensor) => evaluate({ x }, (g, v) => layerNorm(withWeights(weights, g), v.x, 'norm', 1e-12));
    const larger = { ...rows, data: rows.data.map((x) => 3 * x) };
    expect((await norm(rows)).data).toBeAllClose((await norm(larger)).data, close);
  });
});

describe('activations', () => {
  it('are the same fused and plain', async () => {
    const once = await evaluate({ image }, (g, v) => gelu(g, v.image), { fused });
    const plainly = await evaluate({ image }, (g, v) => gelu(g, v.image), { fused: plain });
    expect(plainly.data).toBeAllClose(once.data, close);
  });

  it.each([
    ['silu', silu, 1],
    ['quick gelu', quickGelu, 1.702],
  ])('%s is x * sigmoid(a x)', async (_, activation, a) => {
    const result = await evaluate({ image }, (g, v) => activation(g, v.image));
    expect(result.data).toBeAllClose(
      image.data.map((x) => x / (1 + Math.exp(-a * x))),
      close,
    );
  });
});

describe('tokens of a picture that is not square', () => {
  it('are its positions, row by row', async () => {
    const tokens = await evaluate({ image }, (g, v) => toTokens(g, v.image));
    expect(tokens).toEqual(
      generate([30, 6], (row = 0, c = 0) => at(image, Math.floor(row / 15), c, Math.floor((row % 15) / 5), row % 5)),
    );
  });

  it('become the same picture again', async () => {
    const back = await evaluate({ image }, (g, v) => toImage(g, toTokens(g, v.image), 3, 5));
    expect(back).toEqual(image);
  });

  it('need a fixed size', () => {
    const g = testBuilder();
    expect(() => toTokens(g, value(g, [1, 6, symbol('rows'), 5]))).toThrow('no fixed height');
  });
});
