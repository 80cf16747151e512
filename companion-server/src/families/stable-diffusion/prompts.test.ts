// A prompt's way into the text encoder: as many tokens as the encoder reads.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeTinyCheckpoint, writeJson } from '../../../../test/fixtures/tiny-checkpoint.ts';
import type { IndexTensor } from '../../onnx/session.ts';
import { tensor } from '../../tensor/tensor.ts';
import { partOf, type Checkpoint } from '../../weights/checkpoint.ts';
import type { TextNetwork } from '../family.ts';
import { openCheckpoint } from '../open-checkpoint.ts';
import { parseClipTextConfig } from './clip-text-config.ts';
import { encodePrompts, promptTokenizer } from './prompts.ts';

let dir: string;
let checkpoint: Checkpoint;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-prompts-'));
  const folder = await makeTinyCheckpoint(path.join(dir, 'model'));
  const name = 'tokenizer/tokenizer_config.json';
  const config = JSON.parse(await readFile(path.join(folder, name), 'utf8')) as object;
  await writeJson(folder, name, { ...config, model_max_length: 77 });
  checkpoint = await openCheckpoint(folder);
});
afterAll(() => rm(dir, { recursive: true }));

it('a tokenizer that allows more tokens than the text encoder reads cuts the prompt, not its end mark', async () => {
  const text = parseClipTextConfig(partOf(checkpoint, 'text_encoder').config);
  const tokenizer = promptTokenizer(checkpoint, text);
  const asked: TextNetwork[] = [];
  const run = (network: TextNetwork) => {
    asked.push(network);
    return Promise.resolve({ last_hidden_state: tensor([2, 16, 3]) });
  };
  const found = await encodePrompts(checkpoint, text, tokenizer, ['a cat '.repeat(20), ''], run);
  expect(found.map(({ tokens }) => tokens.dims)).toEqual([
    [1, 16, 3],
    [1, 16, 3],
  ]);
  const { dims, data } = asked[0]?.feeds['input_ids'] as IndexTensor;
  expect(dims).toEqual([2, 16]);
  // The end mark is the second token of an empty prompt.
  expect(data[15]).toBe(data[17]);
  expect(tokenizer.encode('a cat '.repeat(20)).overflow).not.toBeNull();
});
