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

/** The refusal of weights that may run code when they are read, with a way out. `reason` as above. */
export function pickled(path: string, reason: string): EditError {
  return new EditError('model-unsupported', `${path}: ${reason}.`, {
    hint: "Convert it once, with Python and on a machine where it can do no harm: pip install diffusers transformers torch; python -c \"from diffusers import StableDiffusionPipeline as P; P.from_pretrained('FOLDER').save_pretrained('NEW FOLDER', safe_serialization=True)\" (P.from_single_file('FILE') for a single file). Or take a copy of the model with .safetensors weights.",
  });
}
