import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildClipTokenizerJson } from './clip-tokenizer-json.ts';
import { createTokenizer } from './tokenizer.ts';
import { parseTokenizerConfig, type TokenizerTexts } from './tokenizer-config.ts';

const fixtures = new URL('../../../test/fixtures/clip/', import.meta.url);
const text = (name: string): string => readFileSync(new URL(name, fixtures), 'utf8');

const clip: TokenizerTexts = {
  'vocab.json': text('vocab.json'),
  'merges.txt': text('merges.txt'),
  'tokenizer_config.json': text('tokenizer_config.json'),
};
const [begin, end, exclamationMark] = [49406, 49407, 256];

interface Case {
  readonly prompt: string;
  readonly ids: readonly number[];
  readonly tokens: number;
}
const cases = JSON.parse(text('tokenizer-cases.json')) as Case[];

function withConfig(config: object): TokenizerTexts {
  return { ...clip, 'tokenizer_config.json': JSON.stringify(config) };
}

describe("equals OpenAI's tokenizer", () => {
  const tokenizer = createTokenizer(clip);
  it.each(cases)('$prompt', ({ prompt, ids, tokens }) => {
    const encoded = tokenizer.encode(prompt);
    expect(encoded.ids).toHaveLength(77);
    expect(encoded.ids.slice(0, ids.length)).toEqual(ids);
    expect(encoded.ids.slice(ids.length).every((id) => id === end)).toBe(true);
    expect(encoded.tokenCount).toBe(tokens);
    expect(encoded.overflow !== null).toBe(tokens > 77);
  });

  it('also through a tokenizer.json', () => {
    const json = buildClipTokenizerJson(clip, parseTokenizerConfig(clip));
    const fromJson = createTokenizer({ 'tokenizer.json': JSON.stringify(json) });
    for (const { prompt } of cases) {
      expect(fromJson.encode(prompt)).toEqual(tokenizer.encode(prompt));
    }
  });
});

describe('places of words', () => {
  const tokenizer = createTokenizer(clip);
  it.each([
    ['a shiny wolf, a silver wolf', 'Wolf', [3, 7]],
    ['a shiny silver robotic wolf', 'silver  robotic wolf', [3, 4, 5]],
    ['a shiny silver robotic wolf', 'robotic silver', []],
    ['a shiny silver robotic wolf', 'woman', []],
    ['a shiny silver robotic wolf', '', []],
  ])('in "%s" of "%s" are %j', (prompt, words, places) => {
    expect(tokenizer.placesOf(prompt, words)).toEqual(places);
  });

  it('are only those that the model reads', () => {
    const short = createTokenizer(withConfig({ model_max_length: 5 }));
    expect(short.placesOf('a shiny silver wolf', 'silver')).toEqual([3]);
    expect(short.placesOf('a shiny silver wolf', 'wolf')).toEqual([]);
  });
});

describe('a prompt that is too long', () => {
  const short = createTokenizer(withConfig({ model_max_length: 8 }));

  it('is reported from the first word that does not fit, and cut between begin and end', () => {
    const encoded = short.encode('a shiny silver robotic  wolf, a shiny\nsilver wolf');
    expect(encoded.ids).toHaveLength(8);
    expect([encoded.ids[0], encoded.ids[7]]).toEqual([begin, end]);
    expect(encoded.tokenCount).toBe(12);
    expect(encoded.overflow).toBe('a shiny\nsilver wolf');
  });

  it('fits when its tokens are exactly as many as there is room for', () => {
    const exact = short.encode('a shiny silver robotic wolf,');
    expect(exact).toMatchObject({ tokenCount: 8, overflow: null });
  });

  it('of 10,000 characters without a space is reported whole', () => {
    const prompt = 'a'.repeat(10_000);
    expect(short.encode(prompt).overflow).toBe(prompt);
  });
});

describe('tokenizer_config.json', () => {
  const lastId = (texts: TokenizerTexts) => createTokenizer(texts).encode('').ids.at(-1);

  it('names the padding, as text or as an object; the end token by default', () => {
    expect(lastId(withConfig({}))).toBe(end);
    expect(lastId(withConfig({ pad_token: '!' }))).toBe(0);
    expect(lastId(withConfig({ pad_token: { content: '!', __type: 'AddedToken' } }))).toBe(0);
    expect(lastId({ ...withConfig({}), 'special_tokens_map.json': '{"pad_token":"!"}' })).toBe(0);
  });

  it('is overruled by the map of special tokens, as in Stable Diffusion 2.1, unless it has all tokens itself', () => {
    const map = { 'special_tokens_map.json': '{"pad_token":"!"}' };
    const config = { pad_token: { content: '<|endoftext|>' } };
    expect(lastId({ ...withConfig(config), ...map })).toBe(0);
    expect(lastId({ ...withConfig({ ...config, added_tokens_decoder: {} }), ...map })).toBe(end);
  });

  it('does not take an exclamation mark in a prompt for padding', () => {
    const tokenizer = createTokenizer(withConfig({ pad_token: '!' }));
    expect(tokenizer.encode('wolf!').ids.slice(2, 4)).toEqual([exclamationMark, end]);
  });

  it('names the length; 77 when it says nothing or "no limit"', () => {
    expect(createTokenizer(withConfig({ model_max_length: 16 })).maxLength).toBe(16);
    expect(createTokenizer(withConfig({})).maxLength).toBe(77);
    expect(createTokenizer(withConfig({ model_max_length: 1e30 })).maxLength).toBe(77);
    expect(() => createTokenizer(withConfig({ model_max_length: 2 }))).toThrow('got 2');
    expect(() => createTokenizer(withConfig({ model_max_length: '77' }))).toThrow('got "77"');
  });
});

describe('damaged files', () => {
  const faults: [string, TokenizerTexts, string][] = [
    ['vocab that is no JSON', { ...clip, 'vocab.json': '{' }, 'vocab.json must be JSON'],
    ['vocab that is a list', { ...clip, 'vocab.json': '[]' }, 'vocab.json must hold a JSON object'],
    ['an empty vocab', { ...clip, 'vocab.json': '{}' }, 'vocab.json must give every token'],
    ['a huge id', { ...clip, 'vocab.json': '{"a":4294967295}' }, 'got ["a",4294967295]'],
    ['no begin token', { ...clip, 'vocab.json': '{"a":0}' }, 'no token "<|startoftext|>"'],
    ['a merge of one part', { ...clip, 'merges.txt': '#version: 0.2\nab\n' }, 'line 2 must be'],
    ['an unknown padding', withConfig({ pad_token: '<pad>' }), 'no token "<pad>"'],
    ['a tokenizer.json of another kind', { 'tokenizer.json': '{}' }, 'does not describe a tokenizer'],
  ];
  it.each(faults)('%s', (_, texts, message) => {
    expect(() => createTokenizer(texts)).toThrow(message);
    expect(() => createTokenizer(texts)).toThrow(expect.objectContaining({ code: 'model-damaged' }) as Error);
  });
});

describe('words with token ids of their own', () => {
  const words = new Map([
    ['EasyNegative', [50000, 50001, 50002]],
    ['<my-look>', [50003]],
    ['easy', [50004]],
  ]);
  const tokenizer = createTokenizer(clip, Infinity, words);
  const plain = createTokenizer(clip);
  const inner = (encoded: { readonly ids: readonly number[]; readonly tokenCount: number }) =>
    encoded.ids.slice(1, encoded.tokenCount - 1);

  it('become these ids, in any case of their letters, among the tokens of the other words', () => {
    const [before, after] = ['a photo,', 'of a cat'].map((piece) => inner(plain.encode(piece)));
    for (const word of ['EasyNegative', 'easynegative']) {
      expect(inner(tokenizer.encode(`a photo, ${word} of a cat`))).toEqual([
        ...(before ?? []),
        ...[50000, 50001, 50002],
        ...(after ?? []),
      ]);
    }
    expect(inner(tokenizer.encode('<my-look>cat'))).toEqual([50003, ...inner(plain.encode('cat'))]);
  });

  it('are not found inside longer words', () => {
    const prompt = 'EasyNegatives queasy easy_going uneasy';
    expect(tokenizer.encode(prompt)).toEqual(plain.encode(prompt));
  });

  it('count as many tokens as they have, also where a prompt is too long', () => {
    const encoded = tokenizer.encode(`${'a '.repeat(73)}EasyNegative a`);
    expect(encoded.tokenCount).toBe(2 + 73 + 3 + 1);
    expect(encoded.overflow).toBe('EasyNegative a');
  });
});
