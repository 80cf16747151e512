// The tokenizer of CLIP that comes with the program, for checkpoints in one file, which have none.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { TokenizerFiles } from './tokenizer-files.ts';

const mergesPath = fileURLToPath(new URL('../../../models/clip-tokenizer/merges.txt.gz', import.meta.url));

/** Tokens per prompt. */
const length = 77;
const [begin, end] = ['<|startoftext|>', '<|endoftext|>'];

let texts: { readonly merges: string; readonly vocabulary: string } | undefined;

/**
 * The files of a tokenizer's folder. Read and derived once.
 * @param padding the token behind a prompt: `<|endoftext|>` in Stable Diffusion 1.x, `!` where OpenCLIP encodes text
 */
export function clipTokenizerFiles(padding: '<|endoftext|>' | '!'): TokenizerFiles {
  texts ??= readTexts();
  const config = { bos_token: begin, eos_token: end, unk_token: end, pad_token: padding, model_max_length: length };
  return {
    'vocab.json': texts.vocabulary,
    'merges.txt': texts.merges,
    'tokenizer_config.json': JSON.stringify(config),
  };
}

function readTexts(): { readonly merges: string; readonly vocabulary: string } {
  const merges = gunzipSync(readFileSync(mergesPath)).toString('utf8');
  return { merges, vocabulary: JSON.stringify(vocabularyOf(merges)) };
}

/**
 * Token ids: every byte, every byte at the end of a word, what each merge makes, begin and end (CLIP's simple_tokenizer.py).
 * @param merges the text of merges.txt
 */
export function vocabularyOf(merges: string): Readonly<Record<string, number>> {
  const bytes = byteCharacters();
  const made = merges
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.replace(' ', ''));
  const tokens = [...bytes, ...bytes.map((character) => `${character}</w>`), ...made, begin, end];
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

/** A printable character for every byte, in the order of the vocabulary (GPT-2's bytes_to_unicode). */
function byteCharacters(): readonly string[] {
  const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const printable = [...range(33, 126), ...range(161, 172), ...range(174, 255)];
  const others = range(0, 255).filter((byte) => !printable.includes(byte));
  return [...printable, ...others.map((_, i) => 256 + i)].map((code) => String.fromCodePoint(code));
}
