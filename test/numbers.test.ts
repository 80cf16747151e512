import { expect, test } from 'vitest';
import { maxAbsError } from './numbers.ts';

test('the matcher for numbers fails on a wrong value, a NaN and a wrong length', () => {
  expect([1, 2]).toBeAllClose([1, 2.05], { atol: 0.1 });
  expect([1, 2]).not.toBeAllClose([1, 2.2], { atol: 0.1 });
  expect([1, NaN]).not.toBeAllClose([1, 2], { atol: 1e9 });
  expect([1]).not.toBeAllClose([1, 2], { atol: 1e9 });
  expect(maxAbsError([1, 5], [1, 2])).toBe(3);
});
