// Prompts of Stable Diffusion XL (arXiv 2307.01952, section 2.1): the tokens of two text encoders side by side, each before
// its last layer, and the second encoder's embedding of the whole prompt.

import { createTokenizer, type Tokenizer } from '../../diffusion/tokenizer.ts';
import type { Conditioning } from '../../nets/conditioning.ts';
import { buildClipText, type ClipTextConfig } from '../../nets/clip-text-encoder.ts';
import { sliceRows, tensor, type Tensor } from '../../tensor/tensor.ts';
import { partOf, type Checkpoint } from '../../weights/checkpoint.ts';
import type { RunText } from '../family.ts';
import type { PromptEmbedding } from '../../weights/textual-inversion.ts';
import { misfit } from '../misfit.ts';
import { wordsOfEncoder } from '../prompt-embeddings.ts';
import { encoders } from './parts.ts';

/** One of the text encoders, and how it is fed. */
export interface PromptEncoder {
  /** Its folder. */
  readonly part: string;
  readonly tokenizer: Tokenizer;
  readonly config: ClipTextConfig;
  /** Width of the embedding of the whole prompt; null where it is not read. */
  readonly projection: number | null;
  /** Rows of the words that have vectors of their own; null where there are none. */
  readonly vectors: Tensor | null;
}

/** A prompt without numbers about the picture. */
export type EncodedPrompt = Required<Pick<Conditioning, 'tokens' | 'pooled'>>;

/**
 * Both encoders, in the order of `encoders`. Throws EditError('model-damaged') for files that make no tokenizer, or tokenizers
 * of different lengths; EditError('adapter-unsupported') for an embedding that is not for both.
 * @param embeddings words of prompts with vectors of their own
 */
export function promptEncoders(
  { dir, tokenizers }: Pick<Checkpoint, 'dir' | 'tokenizers'>,
  configs: readonly Pick<PromptEncoder, 'config' | 'projection'>[],
  embeddings: readonly PromptEmbedding[] = [],
): readonly PromptEncoder[] {
  const made = configs.map(({ config, projection }, i) => {
    const { part, tokenizer } = encoders[i] ?? encoders[0];
    const { words, vectors } = wordsOfEncoder(embeddings, { width: config.hiddenSize, vocabSize: config.vocabSize });
    return {
      part,
      config,
      projection,
      vectors,
      tokenizer: createTokenizer(tokenizers.get(tokenizer) ?? {}, config.maxPositions, words),
    };
  });
  const [length, other] = made.map(({ tokenizer }) => tokenizer.maxLength);
  if (length !== other) {
    throw misfit('model-damaged', `${dir}: the tokenizers make ${length} and ${other} tokens of a prompt.`);
  }
  return made;
}

/**
 * Of each prompt. The encoders run one after the other. An empty prompt is zeros where `zeroesEmpty` says so: the network knows
 * a picture without a prompt by them. Throws EditError('model-damaged') for a tokenizer that is not the encoder's.
 */
export async function encodePrompts(
  checkpoint: Checkpoint,
  promptEncoders: readonly PromptEncoder[],
  prompts: readonly string[],
  zeroesEmpty: boolean,
  run: RunText,
): Promise<readonly EncodedPrompt[]> {
  const hidden: Tensor[] = [];
  let pooled: Tensor | undefined;
  for (const encoder of promptEncoders) {
    const found = await runEncoder(checkpoint, encoder, prompts, run);
    hidden.push(found.hidden);
    pooled = found.pooled ?? pooled;
  }
  const embeddings = pooled;
  if (embeddings === undefined) throw new TypeError('No text encoder returned an embedding of the prompt.');
  return prompts.map((prompt, i) => {
    const row = (values: Tensor): Tensor => sliceRows(values, i, i + 1);
    const encoded = { tokens: sideBySide(hidden.map(row)), pooled: row(embeddings) };
    const isNothing = zeroesEmpty && prompt.trim() === '';
    return isNothing ? { tokens: tensor(encoded.tokens.dims), pooled: tensor(encoded.pooled.dims) } : encoded;
  });
}

/** hidden [prompts, L, D], pooled [prompts, P] */
async function runEncoder(
  checkpoint: Checkpoint,
  { part, tokenizer, config, projection, vectors }: PromptEncoder,
  prompts: readonly string[],
  run: RunText,
): Promise<{ readonly hidden: Tensor; readonly pooled: Tensor | undefined }> {
  const { maxLength: length } = tokenizer;
  const encoded = prompts.map((prompt) => tokenizer.encode(prompt));
  const ids = encoded.flatMap((prompt) => prompt.ids);
  const extraTokens = vectors?.dims[0] ?? 0;
  const unknown = ids.find((id) => id >= config.vocabSize + extraTokens);
  if (unknown !== undefined) {
    throw misfit(
      'model-damaged',
      `${checkpoint.dir}: the tokenizer knows a token ${unknown}, ${part} ${config.vocabSize} tokens.`,
    );
  }
  const ends = encoded.map((prompt, i) => i * length + endOf(prompt.ids, prompt.tokenCount));
  const reading = { hidden: 'penultimate', projection } as const;
  const { penultimate_hidden_state: hidden, text_embeds: pooled } = await run({
    name: part,
    weights: partOf(checkpoint, part).weights,
    build: (options) => buildClipText({ ...config, length, extraTokens }, options, reading),
    feeds: {
      input_ids: { dims: [prompts.length, length], data: Int32Array.from(ids) },
      ...(projection === null ? {} : { end_rows: { dims: [prompts.length], data: Int32Array.from(ends) } }),
      ...(vectors === null ? {} : { extra_tokens: vectors }),
    },
  });
  if (hidden === undefined) throw new TypeError(`${part} returned nothing.`);
  return { hidden, pooled };
}

/** The first place of the end mark: a prompt may hold one itself, and padding may look like it. */
function endOf(ids: readonly number[], tokenCount: number): number {
  const last = Math.min(tokenCount, ids.length) - 1;
  return ids.indexOf(ids[last] ?? NaN);
}

/** Of [1, L, A] and [1, L, B] -> [1, L, A + B] */
function sideBySide(parts: readonly Tensor[]): Tensor {
  const length = parts[0]?.dims[1] ?? 0;
  const width = parts.reduce((sum, { dims }) => sum + (dims[2] ?? 0), 0);
  const joined = tensor([1, length, width]);
  let left = 0;
  for (const { dims, data } of parts) {
    const own = dims[2] ?? 0;
    for (let token = 0; token < length; token++) {
      joined.data.set(data.subarray(token * own, (token + 1) * own), token * width + left);
    }
    left += own;
  }
  return joined;
}
