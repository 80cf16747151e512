import { EditError } from '../errors.ts';

/** The refusal of a checkpoint that is something else. `reason` begins in lower case or with a name. */
export function unsupported(path: string, reason: string): EditError {
  return new EditError('model-unsupported', `${path}: ${reason}; it is not supported.`, {
    hint: 'Use a text-to-image checkpoint of Stable Diffusion 1.x or 2.x in the diffusers folder format.',
  });
}
