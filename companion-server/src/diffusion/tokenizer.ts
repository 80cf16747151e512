// CLIP's tokenizer: a prompt becomes a fixed number of token ids. The only file that imports @huggingface/tokenizers.

import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { buildClipTokenizerJson, clipWordPattern } from './clip-tokenizer-json.ts';
import { damagedTokenizer, parseTokenizerConfig, parseTokenizerJson, type TokenizerTexts } from './tokenizer-config.ts';

/** What is used of the package's Tokenizer. Its own types do not resolve: they import without extensions. */
interface BytePairTokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): { readonly ids: number[] };
  token_to_id(token: string): number | undefined;
}
const BytePairTokenizer = HuggingFaceTokenizer as unknown as new (json: object, config: object) => BytePairTokenizer;

/** A prompt as the text encoder takes it. */
export interface EncodedPrompt {
  /** [maxLength]: begin, the prompt's tokens as far as they fit, end, padding. */
  readonly ids: readonly number[];
  /** Tokens of the whole prompt with begin and end; more than maxLength when it does not fit. */
  readonly tokenCount: number;
  /** The end of the prompt, from the first word that does not fit whole; null when everything fits. */
  readonly overflow: string | null;
}

export interface Tokenizer {
  /** Tokens per prompt, begin and end among them: 77 in Stable Diffusion. */
  readonly maxLength: number;
  encode(prompt: string): EncodedPrompt;
  /** Places in `encode(prompt).ids` of the tokens of `words`, wherever they follow each other; none where the prompt lacks them. */
  placesOf(prompt: string, words: string): readonly number[];
}

/**
 * Makes the tokenizer of a checkpoint. tokenizer.json is taken where it is there, else vocab.json and merges.txt.
 *
 * The padding token (Stable Diffusion 2 has "!") is not looked for in prompts: an exclamation mark there is the
 * word that CLIP was trained with, which transformers' Python tokenizer mistakes for padding.
 *
 * Prompts have at most `positions` tokens, what the text encoder reads, also where the files allow more.
 *
 * A word of `words` becomes the ids that it has there, in any case of its letters.
 *
 * Throws EditError('model-damaged') for files that make no tokenizer.
 */
export function createTokenizer(
  texts: TokenizerTexts,
  positions = Infinity,
  words: ReadonlyMap<string, readonly number[]> = new Map(),
): Tokenizer {
  const declared = parseTokenizerConfig(texts);
  const config = { ...declared, maxLength: Math.min(declared.maxLength, positions) };
  const tokenizer = openTokenizer(
    texts['tokenizer.json'] === undefined
      ? buildClipTokenizerJson(texts, config)
      : parseTokenizerJson(texts, 'tokenizer.json'),
  );
  const idOf = (token: string): number => {
    const id = tokenizer.token_to_id(token);
    if (id === undefined) throw damagedTokenizer(`the vocabulary has no token "${token}"`);
    return id;
  };
  const [bos, eos, pad] = [idOf(config.bos), idOf(config.eos), idOf(config.pad)];
  const room = config.maxLength - 2;
  const own = ownWords(words);
  const idsOf = (text: string): number[] =>
    own.split(text).flatMap((piece) => own.idsOf(piece) ?? tokenizer.encode(piece, { add_special_tokens: false }).ids);

  return {
    maxLength: config.maxLength,
    placesOf(prompt, words) {
      const [all, wanted] = [idsOf(prompt).slice(0, room), idsOf(words)];
      const starts = wanted.length === 0 ? [] : all.flatMap((_, start) => (isAt(all, wanted, start) ? [start] : []));
      const places = starts.flatMap((start) => wanted.map((_, i) => 1 + start + i));
      return [...new Set(places)];
    },
    encode(prompt) {
      const all = idsOf(prompt);
      const kept = [bos, ...all.slice(0, room), eos];
      const padding = new Array<number>(config.maxLength - kept.length).fill(pad);
      return {
        ids: [...kept, ...padding],
        tokenCount: all.length + 2,
        overflow: all.length > room ? overflowOf(prompt, room, idsOf, own.pattern) : null,
      };
    },
  };
}

function isAt(all: readonly number[], wanted: readonly number[], start: number): boolean {
  return wanted.every((id, i) => all[start + i] === id);
}

interface OwnWords {
  /** Alternatives of a regular expression, each with a vertical bar behind it. */
  readonly pattern: string;
  /** The text in pieces: own words, and what is between them. */
  split(text: string): readonly string[];
  /** Undefined for a piece that is no own word. */
  idsOf(piece: string): readonly number[] | undefined;
}

function ownWords(words: ReadonlyMap<string, readonly number[]>): OwnWords {
  const ids = new Map([...words].map(([word, own]) => [word.toLowerCase(), own]));
  // The longest first: one word may begin as another does.
  const alternatives = [...ids.keys()].sort((a, b) => b.length - a.length).map(wholeWord);
  const pattern = alternatives.map((alternative) => `${alternative}|`).join('');
  const splitter = alternatives.length === 0 ? null : new RegExp(`(${alternatives.join('|')})`, 'giu');
  return {
    pattern,
    split: (text) => (splitter === null ? [text] : text.split(splitter).filter((piece) => piece !== '')),
    idsOf: (piece) => ids.get(piece.toLowerCase()),
  };
}

/** A word that ends in a letter or a digit is not found inside a longer one. */
function wholeWord(word: string): string {
  const letter = '[\\p{L}\\p{N}_]';
  const literal = word.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  const before = /^[\p{L}\p{N}_]/u.test(word) ? `(?<!${letter})` : '';
  const after = /[\p{L}\p{N}_]$/u.test(word) ? `(?!${letter})` : '';
  return before + literal + after;
}

/** The text from the first word on that takes the count of tokens beyond `room`. */
function overflowOf(
  prompt: string,
  room: number,
  idsOf: (text: string) => readonly number[],
  ownPattern: string,
): string {
  const text = prompt.normalize('NFC').trim();
  let count = 0;
  for (const word of text.matchAll(new RegExp(ownPattern + clipWordPattern, 'giu'))) {
    count += idsOf(word[0]).length;
    if (count > room) return text.slice(word.index);
  }
  return '';
}

function openTokenizer(json: object): BytePairTokenizer {
  try {
    return new BytePairTokenizer(json, {});
  } catch (error) {
    throw damagedTokenizer('tokenizer.json does not describe a tokenizer', error);
  }
}
