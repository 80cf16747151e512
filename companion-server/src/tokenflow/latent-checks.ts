// Half precision can overflow, and a broken kernel can return one value for everything. These checks stop the edit at
// that step, so that it does not end in black frames.

import { EditError } from '../errors.ts';
import { isAllFinite } from '../tensor/finite.ts';
import type { Tensor } from '../tensor/tensor.ts';

const hint = 'Try --device cpu, which computes in single precision.';

/** Throws EditError('result-invalid') when a value is not a finite number. */
export function requireFinite(latents: Tensor, doing: string): void {
  if (isAllFinite(latents)) return;
  const fault = `The latents became invalid (NaN or infinite) in ${doing}.`;
  throw new EditError('result-invalid', fault, { hint });
}

/**
 * Throws EditError('result-invalid') when the network predicted one value for a whole frame, which no working network
 * does. prediction [N, C, h, w]
 */
export function requireVaried({ dims, data }: Tensor, doing: string): void {
  const [count = 0] = dims;
  const length = data.length / count;
  for (let start = 0; start < data.length; start += length) {
    const first = data[start];
    if (length > 1 && data.subarray(start, start + length).every((value) => value === first)) {
      const fault = `The network returned ${first} for a whole frame in ${doing}.`;
      throw new EditError('result-invalid', fault, { hint });
    }
  }
}
