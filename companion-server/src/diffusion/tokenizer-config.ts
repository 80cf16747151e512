// What the small files beside a CLIP tokenizer say: its special tokens and how many tokens a prompt may have.

import { EditError } from '../errors.ts';

/** The tokenizer's files by name, as text: vocab.json and merges.txt, or tokenizer.json. */
export interface TokenizerTexts {
  readonly 'vocab.json'?: string;
  readonly 'merges.txt'?: string;
  readonly 'tokenizer.json'?: string;
  readonly 'tokenizer_config.json'?: string;
  readonly 'special_tokens_map.json'?: string;
}

export interface TokenizerConfig {
  /** Token texts. */
  readonly bos: string;
  readonly eos: string;
  readonly pad: string;
  readonly unknown: string;
  /** Tokens per prompt, the first and the last of them special. */
  readonly maxLength: number;
}

/** CLIP's context, and what is taken when the file names none or the "no limit" number of transformers. */
const clipMaxLength = 77;
const longestMaxLength = 1024;

/** Reads tokenizer_config.json and special_tokens_map.json. Throws EditError('model-damaged'). */
export function parseTokenizerConfig(texts: TokenizerTexts): TokenizerConfig {
  const config = parseTokenizerJson(texts, 'tokenizer_config.json');
  const map = parseTokenizerJson(texts, 'special_tokens_map.json');
  // As transformers reads them: the map counts, unless the config is of a version that puts all tokens into it.
  const [first, second] = 'added_tokens_decoder' in config ? [config, map] : [map, config];
  const token = (key: string, absent: string): string => tokenText(first[key]) ?? tokenText(second[key]) ?? absent;
  const eos = token('eos_token', '<|endoftext|>');
  return {
    bos: token('bos_token', '<|startoftext|>'),
    eos,
    pad: token('pad_token', eos),
    unknown: token('unk_token', eos),
    maxLength: parseMaxLength(config['model_max_length']),
  };
}

/** The object in one of the JSON texts; an empty one when it is absent. Throws EditError('model-damaged'). */
export function parseTokenizerJson(texts: TokenizerTexts, file: keyof TokenizerTexts): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(texts[file] ?? '{}');
  } catch (error) {
    throw damagedTokenizer(`${file} must be JSON`, error);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw damagedTokenizer(`${file} must hold a JSON object`);
  }
  return json as Record<string, unknown>;
}

export function damagedTokenizer(fault: string, cause?: unknown): EditError {
  return new EditError('model-damaged', `tokenizer: ${fault}.`, {
    hint: 'Download the tokenizer folder of the checkpoint again.',
    cause,
  });
}

/** A token as text, or as the object that transformers writes for tokens with options. */
function tokenText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || !('content' in value)) return undefined;
  return typeof value.content === 'string' ? value.content : undefined;
}

function parseMaxLength(value: unknown): number {
  if (value === undefined || value === null) return clipMaxLength;
  if (typeof value !== 'number' || !(value >= 3)) {
    throw damagedTokenizer(
      `tokenizer_config.json: model_max_length must be a number from 3 up, got ${JSON.stringify(value)}`,
    );
  }
  return value > longestMaxLength ? clipMaxLength : Math.floor(value);
}
