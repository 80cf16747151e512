// Loaded before every test file: the matcher for numbers.
import { expect } from 'vitest';
import { maxAbsError } from './numbers.ts';

interface Tolerance {
  readonly atol: number;
}

expect.extend({
  toBeAllClose(actual: ArrayLike<number>, expected: ArrayLike<number>, { atol }: Tolerance) {
    const error = maxAbsError(actual, expected);
    return {
      pass: error <= atol,
      message: () => `max abs error ${error} against a limit of ${atol}`,
    };
  },
});

declare module 'vitest' {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- vitest declares the parameter so
  interface Matchers<T = any> {
    /** Passes when every value is within `atol` of the expected one; a NaN or another length fails. */
    toBeAllClose(expected: ArrayLike<number>, tolerance: Tolerance): T;
  }
}
