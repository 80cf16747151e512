import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDims, divideDims, equalDims, formatDim, formatDims, multiplyDims, symbol, type Dim } from './dims.ts';

const dims = fc
  .record({
    factor: fc.integer({ min: 1, max: 50 }),
    names: fc.array(fc.constantFrom('frames', 'keyframes', 'tokens'), { maxLength: 3 }),
  })
  .map(({ factor, names }): Dim => multiplyDims(factor, ...names.map(symbol)));

describe('products of dims', () => {
  it('do not depend on the order', () => {
    fc.assert(
      fc.property(fc.array(dims, { maxLength: 5 }), (factors) => {
        expect(multiplyDims(...factors.toReversed())).toEqual(multiplyDims(...factors));
      }),
    );
  });

  it('are undone by dividing', () => {
    fc.assert(
      fc.property(dims, dims, (a, b) => {
        expect(divideDims(multiplyDims(a, b), b)).toEqual(a);
      }),
    );
  });

  it('of nothing are 1, and of numbers are a number', () => {
    expect(multiplyDims()).toBe(1);
    expect(multiplyDims(2, 3, 4)).toBe(24);
  });

  it('keep the same unknown twice', () => {
    const area = multiplyDims(symbol('side'), symbol('side'));
    expect(formatDim(area)).toBe('side*side');
    expect(divideDims(area, symbol('side'))).toEqual(symbol('side'));
  });
});

describe('quotients of dims', () => {
  it('are undefined where they would not be whole or where the unknown is missing', () => {
    expect(divideDims(7, 2)).toBeUndefined();
    expect(divideDims(symbol('frames'), 3)).toBeUndefined();
    expect(divideDims(6, symbol('frames'))).toBeUndefined();
    expect(divideDims(symbol('frames'), symbol('tokens'))).toBeUndefined();
  });

  it('of equals are 1', () => {
    fc.assert(fc.property(dims, (dim) => divideDims(dim, dim) === 1));
  });
});

describe('sums of dims', () => {
  it('of the same unknowns repeat a product', () => {
    fc.assert(
      fc.property(dims, fc.integer({ min: 2, max: 6 }), (dim, count) => {
        const copies = Array<Dim>(count - 1).fill(dim);
        const total = copies.reduce<Dim | undefined>((sum, copy) => sum && addDims(sum, copy), dim);
        expect(total).toEqual(multiplyDims(count, dim));
      }),
    );
  });

  it('of different unknowns are undefined', () => {
    expect(addDims(symbol('frames'), 1)).toBeUndefined();
    expect(addDims(symbol('frames'), symbol('tokens'))).toBeUndefined();
  });
});

describe('dims read', () => {
  it('as numbers and products', () => {
    expect(formatDims([2, multiplyDims(3, symbol('frames'), 4), symbol('tokens')])).toBe('[2, 12*frames, tokens]');
  });

  it('alike exactly where they are equal', () => {
    fc.assert(
      fc.property(dims, dims, (a, b) => {
        expect(equalDims(a, b)).toBe(formatDim(a) === formatDim(b));
        expect(equalDims(a, a)).toBe(true);
      }),
    );
  });
});
