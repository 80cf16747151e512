import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tensor } from '../tensor/tensor.ts';
import { requireFinite, requireVaried } from './latent-checks.ts';

const values = fc.float32Array({
  minLength: 6,
  maxLength: 6,
  noNaN: true,
  noDefaultInfinity: true,
});

test.each([NaN, Infinity, -Infinity])('%d anywhere is found', (bad) => {
  fc.assert(
    fc.property(values, fc.nat(5), (good, at) => {
      requireFinite(tensor([1, 6], good), 'a test');
      const spoilt = good.slice();
      spoilt[at] = bad;
      expect(() => requireFinite(tensor([1, 6], spoilt), 'a test')).toThrow('in a test');
    }),
  );
});

test('one value for a whole frame is found, whichever frame it is', () => {
  const varied = Float32Array.from([1, 2, 3, 4]);
  requireVaried(tensor([2, 2], varied), 'a test');
  for (const flat of [
    [5, 5, 1, 2],
    [1, 2, 0, 0],
  ]) {
    expect(() => requireVaried(tensor([2, 2], Float32Array.from(flat)), 'a test')).toThrow(
      expect.objectContaining({ code: 'result-invalid' }) as Error,
    );
  }
});
