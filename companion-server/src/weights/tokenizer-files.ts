// The texts that a tokenizer is made of; what is in them is not looked at here.

import { join } from 'node:path';
import { EditError } from '../errors.ts';
import { readText } from './json-file.ts';

const fileNames = [
  'vocab.json',
  'merges.txt',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
] as const;

/** Texts by file name; either vocab.json and merges.txt, or tokenizer.json, are there. */
export type TokenizerFiles = Readonly<Partial<Record<(typeof fileNames)[number], string>>>;

/** Reads the folder `tokenizer/` of a checkpoint. Throws EditError('model-missing') with the expected path. */
export async function readTokenizerFiles(dir: string): Promise<TokenizerFiles> {
  const texts: Partial<Record<(typeof fileNames)[number], string>> = {};
  for (const name of fileNames) {
    try {
      texts[name] = await readText(join(dir, name));
    } catch (error) {
      if (!(error instanceof EditError) || error.code !== 'model-missing') throw error;
    }
  }
  if (texts['tokenizer.json'] !== undefined) return texts;
  for (const name of ['vocab.json', 'merges.txt'] as const) {
    if (texts[name] !== undefined) continue;
    throw new EditError('model-missing', `${join(dir, name)}: there is no such file.`, {
      hint: 'Download the tokenizer folder of the checkpoint.',
    });
  }
  return texts;
}
