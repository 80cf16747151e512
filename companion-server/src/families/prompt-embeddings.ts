// Embeddings as one text encoder takes them: rows behind its own table of tokens, and the token ids of their words.

import { concatRows, type Tensor } from '../tensor/tensor.ts';
import { adapterError } from '../weights/lora/adapter-error.ts';
import { familyOfWidths, type PromptEmbedding } from '../weights/textual-inversion.ts';

export interface EncoderWords {
  /** Token ids of each word that means an embedding. */
  readonly words: ReadonlyMap<string, readonly number[]>;
  /** [count, width]: the rows with the ids from the encoder's number of tokens on; null where there are none. */
  readonly vectors: Tensor | null;
}

/**
 * @param encoder width of its vectors and the number of tokens that it has itself
 * Throws EditError('adapter-unsupported') for an embedding that has no vectors of this width.
 */
export function wordsOfEncoder(
  embeddings: readonly PromptEmbedding[],
  { width, vocabSize }: { readonly width: number; readonly vocabSize: number },
): EncoderWords {
  const words = new Map<string, readonly number[]>();
  const rows: Tensor[] = [];
  let next = vocabSize;
  for (const embedding of embeddings) {
    const vectors = embedding.vectors.find(({ dims }) => dims[1] === width);
    if (vectors === undefined) throw misfit(embedding, width);
    const first = next;
    const ids = Array.from({ length: vectors.dims[0] ?? 0 }, (_, i) => first + i);
    for (const word of embedding.words) if (!words.has(word)) words.set(word, ids);
    rows.push(vectors);
    next += ids.length;
  }
  return { words, vectors: rows.length === 0 ? null : concatRows(rows) };
}

function misfit({ name, vectors }: PromptEmbedding, width: number) {
  const widths = vectors.map(({ dims }) => dims[1] ?? 0);
  const family = familyOfWidths(widths);
  const made = family === null ? '' : ` It is for ${family}.`;
  return adapterError(
    'adapter-unsupported',
    'embedding',
    name,
    `does not fit: the text encoder reads vectors of width ${width}, the file has ${widths.join(' and ')}.${made}`,
  );
}
