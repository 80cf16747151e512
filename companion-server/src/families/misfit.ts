import { EditError } from '../errors.ts';

/** The refusal of a checkpoint whose parts contradict each other. `fault` begins with the checkpoint's folder. */
export function misfit(code: 'model-damaged' | 'model-unsupported', fault: string, cause?: unknown): EditError {
  return new EditError(code, fault, {
    hint: 'The parts of the checkpoint do not belong together: download the folder again.',
    cause,
  });
}
