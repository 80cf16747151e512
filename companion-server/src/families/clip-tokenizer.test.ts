import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createTokenizer } from '../diffusion/tokenizer.ts';
import { clipTokenizerFiles } from '../weights/clip-tokenizer.ts';

const root = new URL('../../../', import.meta.url);
const json = (name: string): unknown => JSON.parse(readFileSync(new URL(name, root), 'utf8'));
const files = clipTokenizerFiles('<|endoftext|>');

describe("the program's own tokenizer of CLIP", () => {
  it('has the merges of the checkpoints in the catalogue', () => {
    const { models } = json('models/catalog.json') as {
      models: { id: string; hub: { files: { path: string; sha256: string }[] } }[];
    };
    const known = models
      .find(({ id }) => id === 'stable-diffusion-1.5')
      ?.hub.files.find(({ path }) => path === 'tokenizer/merges.txt');
    const text = files['merges.txt'] ?? '';
    expect(createHash('sha256').update(text).digest('hex')).toBe(known?.sha256);
  });

  it('numbers 49,408 tokens as the real vocabulary does', () => {
    const vocabulary = JSON.parse(files['vocab.json'] ?? '') as Record<string, number>;
    expect(Object.values(vocabulary)).toHaveLength(49_408);
    expect(vocabulary).toMatchObject(json('test/fixtures/clip/vocab.json') as object);
  });

  it("gives the ids that OpenAI's own tokenizer gives", () => {
    const tokenizer = createTokenizer(files);
    const cases = json('test/fixtures/clip/tokenizer-cases.json') as { prompt: string; ids: number[] }[];
    expect(cases.length).toBeGreaterThan(10);
    for (const { prompt, ids } of cases) expect(tokenizer.encode(prompt).ids.slice(0, ids.length)).toEqual(ids);
  });

  it('pads with the end of text, or where OpenCLIP encodes with token 0', () => {
    const last = (padding: '<|endoftext|>' | '!') =>
      createTokenizer(clipTokenizerFiles(padding)).encode('cat').ids.at(-1);
    expect(last('<|endoftext|>')).toBe(49_407);
    expect(last('!')).toBe(0);
  });
});
