// Prompts of Stable Diffusion 1.x and 2.x: the last hidden states of one CLIP text encoder.

import { createTokenizer, type Tokenizer } from '../../diffusion/tokenizer.ts';
import type { Conditioning } from '../../nets/conditioning.ts';
import { buildClipText, type ClipTextConfig } from '../../nets/clip-text-encoder.ts';
import { sliceRows } from '../../tensor/tensor.ts';
import { partOf, type Checkpoint } from '../../weights/checkpoint.ts';
import type { RunText } from '../family.ts';
import { misfit } from '../misfit.ts';
import type { EncoderWords } from '../prompt-embeddings.ts';

/** Throws EditError('model-damaged') for files that make no tokenizer. */
export function promptTokenizer(
  { tokenizers }: Checkpoint,
  { maxPositions }: ClipTextConfig,
  words?: EncoderWords['words'],
): Tokenizer {
  return createTokenizer(tokenizers.get('tokenizer') ?? {}, maxPositions, words);
}

/**
 * Of each prompt [1, tokens, D]. Throws EditError('model-damaged') for a tokenizer that is not the encoder's.
 * @param vectors of wordsOfEncoder(), whose words the tokenizer knows
 */
export async function encodePrompts(
  checkpoint: Checkpoint,
  config: ClipTextConfig,
  tokenizer: Tokenizer,
  prompts: readonly string[],
  run: RunText,
  vectors: EncoderWords['vectors'] = null,
): Promise<readonly Conditioning[]> {
  const { maxLength: length } = tokenizer;
  const ids = prompts.flatMap((prompt) => tokenizer.encode(prompt).ids);
  const extraTokens = vectors?.dims[0] ?? 0;
  const unknown = ids.find((id) => id >= config.vocabSize + extraTokens);
  if (unknown !== undefined) {
    throw misfit(
      'model-damaged',
      `${checkpoint.dir}: the tokenizer knows a token ${unknown}, the text encoder ${config.vocabSize} tokens.`,
    );
  }
  const { last_hidden_state: embeddings } = await run({
    name: 'text encoder',
    weights: partOf(checkpoint, 'text_encoder').weights,
    build: (options) => buildClipText({ ...config, length, extraTokens }, options),
    feeds: {
      input_ids: { dims: [prompts.length, length], data: Int32Array.from(ids) },
      ...(vectors === null ? {} : { extra_tokens: vectors }),
    },
  });
  if (embeddings === undefined) throw new TypeError('The text encoder returned nothing.');
  return prompts.map((_, i) => ({ tokens: sliceRows(embeddings, i, i + 1) }));
}
