// The files of LoRA and embeddings that edits name.

import { EditError } from '../errors.ts';

/** Absolute paths by the names that edits use. */
export type AdapterFilesByName = ReadonlyMap<string, string>;

/** Most names that an error lists. */
const namedInError = 10;

/** The file of the LoRA `name`. Throws EditError('adapter-missing') that says which there are. */
export function loraFileOf(loras: AdapterFilesByName, name: string): string {
  const file = loras.get(name);
  if (file !== undefined) return file;
  const names = [...loras.keys()];
  const known = names.slice(0, namedInError).join(', ');
  const more = names.length > namedInError ? ` and ${names.length - namedInError} more` : '';
  throw new EditError(
    'adapter-missing',
    `The server has no LoRA named '${name}'; it has ${names.length === 0 ? 'none' : known + more}.`,
    { hint: 'Choose it again, or remove it from the edit.' },
  );
}

/** Embeddings as an edit is told of them. */
export function embeddingsIn(
  embeddings: AdapterFilesByName,
): readonly { readonly word: string; readonly file: string }[] {
  return [...embeddings].map(([word, file]) => ({ word, file }));
}
