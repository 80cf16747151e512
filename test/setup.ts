// Loaded before every test file: the matcher for numbers, and what a file leaves to the next one of its worker.
import { afterAll, expect, vi } from 'vitest';
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

/** A worker runs one file after the other: each finds the environment as the first one did. */
const environment = { ...process.env };
afterAll(() => {
  vi.unstubAllEnvs();
  for (const name of Object.keys(process.env)) if (!(name in environment)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, environment);
});

declare module 'vitest' {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- vitest declares the parameter so
  interface Matchers<T = any> {
    /** Passes when every value is within `atol` of the expected one; a NaN or another length fails. */
    toBeAllClose(expected: ArrayLike<number>, tolerance: Tolerance): T;
  }
}
