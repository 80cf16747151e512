// Errors about an adapter: they name it, and say that it is the adapter and not the model.

import { EditError } from '../../errors.ts';

/** What an adapter is called in a message: `The LoRA "film look"`. */
export type AdapterKindName = 'LoRA' | 'embedding' | 'VAE' | 'ControlNet';

const codes: Partial<Record<string, 'adapter-missing' | 'adapter-damaged' | 'adapter-unsupported'>> = {
  'model-missing': 'adapter-missing',
  'model-damaged': 'adapter-damaged',
  'model-unsupported': 'adapter-unsupported',
};

const hints = {
  'adapter-missing': 'Choose it again, or remove it from the edit.',
  'adapter-damaged': 'Download the file again, or remove it from the edit.',
  'adapter-unsupported': 'Choose another one that is made for this model, or remove it from the edit.',
} as const;

export function adapterError(
  code: 'adapter-missing' | 'adapter-damaged' | 'adapter-unsupported',
  kind: AdapterKindName,
  name: string,
  fault: string,
  cause?: unknown,
): EditError {
  return new EditError(code, `The ${kind} "${name}" ${fault}`, { hint: hints[code], cause });
}

/** Runs `read`; what it throws about a file is told of the adapter. */
export async function naming<T>(kind: AdapterKindName, name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const code = error instanceof EditError ? codes[error.code] : undefined;
    if (!(error instanceof EditError) || code === undefined) throw error;
    throw adapterError(code, kind, name, `cannot be used: ${error.message}`, error);
  }
}
