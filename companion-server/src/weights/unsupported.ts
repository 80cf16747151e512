import { EditError } from '../errors.ts';

/**
 * The refusal of a checkpoint that is something else.
 * @param reason begins in lower case or with a name
 * @param instead what to use, for instance `a text-to-image checkpoint of Stable Diffusion 1.x or 2.x`
 */
export function unsupported(path: string, reason: string, instead = 'a checkpoint'): EditError {
  return new EditError('model-unsupported', `${path}: ${reason}; it is not supported.`, {
    hint: `Use ${instead} in the diffusers folder format, with .safetensors weights.`,
  });
}
