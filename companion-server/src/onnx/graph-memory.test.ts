import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GraphBuilder } from './builder.ts';
import { symbol } from './dims.ts';
import { peakActivationBytes, valueBytes } from './graph-memory.ts';
import * as ops from './ops.ts';

const builder = () =>
  new GraphBuilder({
    name: 'test',
    weights: new Map(),
    float: 'float32',
    fused: {
      multiHeadAttention: false,
      wideValues: true,
      gelu: false,
      gemm: true,
      instanceNormalization: true,
    },
  });

test('a value takes what its type and shape say', () => {
  const dims = [symbol('frames'), 3, { factor: 2, symbols: ['frames', 'tokens'] }];
  const sizes = { frames: 5, tokens: 7 };
  expect(valueBytes({ dtype: 'float16', dims }, sizes)).toBe(2 * 5 * 3 * 2 * 5 * 7);
  expect(() => valueBytes({ dtype: 'float32', dims }, { frames: 1 })).toThrow('tokens');
});

test('values that are read once are not kept beside each other', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 50 }), (length, rows) => {
      const g = builder();
      let x = g.input('x', 'float32', [symbol('rows'), 4]);
      // Transposing can neither be done in place nor as a view.
      for (let i = 0; i < 2 * length; i++) x = ops.transpose(g, x, [1, 0]);
      g.output('y', x);
      // The input is the caller's, and of the others two are there at a time.
      const each = 4 * 4 * rows;
      expect(peakActivationBytes(g.finish(), { rows })).toBe(3 * each);
    }),
  );
});

test('a view and a sum in place take nothing', () => {
  const g = builder();
  const x = g.input('x', 'float32', [8, 4]);
  const moved = ops.transpose(g, x, [1, 0]);
  g.output('y', ops.sigmoid(g, ops.reshape(g, moved, [2, 16])));
  expect(peakActivationBytes(g.finish(), {})).toBe(2 * 4 * 32);
});
