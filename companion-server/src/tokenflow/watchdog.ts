// Half precision can overflow: the edit then ends with a clear error instead of black frames.

import { EditError } from '../errors.ts';
import { isAllFinite } from '../tensor/finite.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Throws EditError('result-invalid') when a value is not a finite number. */
export function requireFinite(latents: Tensor, doing: string): void {
  if (isAllFinite(latents)) return;
  throw new EditError(
    'result-invalid',
    `The latents became invalid (NaN or infinite) in ${doing}.`,
    {
      hint: 'Try --device cpu, which computes in single precision.',
    },
  );
}
