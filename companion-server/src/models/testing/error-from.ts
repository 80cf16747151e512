// For tests: what a call that must fail throws.

import { EditError } from '../../errors.ts';

/** Throws when `work` succeeds or fails with anything but an EditError. */
export function errorFrom(work: () => unknown): EditError {
  try {
    work();
  } catch (error) {
    if (error instanceof EditError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

/** As `errorFrom`, for promises. */
export async function rejectionOf(work: Promise<unknown>): Promise<EditError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof EditError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}
