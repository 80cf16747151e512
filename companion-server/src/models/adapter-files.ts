// The files of LoRA and embeddings that edits name: those that the server was started with, then what lies on the machine.

import { EditError } from '../errors.ts';
import type { Library } from './library/library.ts';

/** Absolute paths by the names that edits use. */
export type AdapterFilesByName = ReadonlyMap<string, string>;

const codes = { 'model-missing': 'adapter-missing', 'model-unsupported': 'adapter-unsupported' } as const;

/**
 * The file of the LoRA `name`. Throws EditError: 'adapter-missing' that says which there are, 'adapter-unsupported' with the
 * reason.
 */
export async function loraFileOf(
  chosen: AdapterFilesByName,
  library: Pick<Library, 'pathOf'>,
  name: string,
): Promise<string> {
  const file = chosen.get(name);
  if (file !== undefined) return file;
  try {
    return await library.pathOf('lora', name);
  } catch (error) {
    const isKnown =
      error instanceof EditError && (error.code === 'model-missing' || error.code === 'model-unsupported');
    if (!isKnown) throw error;
    const { code, message, hint } = error;
    throw new EditError(codes[code as keyof typeof codes], message, { hint, cause: error });
  }
}

/** What an edit is told of an embedding. */
export interface NamedEmbedding {
  readonly word: string;
  readonly file: string;
}

/**
 * All of `chosen`, and those of the machine whose word is in one of the prompts; the first of its word. A word that is missing
 * is no error: it is text like any other.
 */
export function embeddingsFor(
  chosen: AdapterFilesByName,
  library: Pick<Library, 'found'>,
  prompts: readonly string[],
): readonly NamedEmbedding[] {
  const text = prompts.join('\n').toLowerCase();
  const words = new Map(chosen);
  for (const { item } of library.found()) {
    const isMeant = item.kind === 'embedding' && item.problem === null && text.includes(item.name.toLowerCase());
    if (isMeant && !words.has(item.name)) words.set(item.name, item.file.path);
  }
  return [...words].map(([word, file]) => ({ word, file }));
}
