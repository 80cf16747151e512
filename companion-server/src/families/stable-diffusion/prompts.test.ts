// A prompt's way into the text encoder: as many tokens as the encoder reads.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeTinyCheckpoint, writeJson } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { fused, runGraph } from '../../../../test/run-graph.ts';
import type { IndexTensor } from '../../onnx/session.ts';
import { takeRows, tensor } from '../../tensor/tensor.ts';
import { partOf, type Checkpoint } from '../../weights/checkpoint.ts';
import type { TextNetwork } from '../family.ts';
import { readStoredTensor } from '../../weights/safetensors.ts';
import { openCheckpoint } from '../open-checkpoint.ts';
import { wordsOfEncoder } from '../prompt-embeddings.ts';
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

it('an embedding with the rows of words means these words', async () => {
  const text = parseClipTextConfig(partOf(checkpoint, 'text_encoder').config);
  const { weights } = partOf(checkpoint, 'text_encoder');
  const table = (await weights.stored()).get('text_model.embeddings.token_embedding.weight');
  if (table === undefined) expect.fail('the encoder has no table of tokens');
  const ids = promptTokenizer(checkpoint, text).encode('dog a').ids.slice(1, 3);
  const embedding = { name: 'look', words: ['mylook'], vectors: [takeRows(await readStoredTensor(table), ids)] };
  const { words, vectors } = wordsOfEncoder([embedding], { width: text.hiddenSize, vocabSize: text.vocabSize });
  const tokenizer = promptTokenizer(checkpoint, text, words);
  const run = async ({ build, feeds, name, weights: source }: TextNetwork) => {
    const graph = build({ name, weights: await source.stored(), float: 'float32', fused });
    return runGraph(graph, feeds);
  };
  const prompts = ['a mylook', 'a dog a', 'a'];
  const [meant, same, other] = await encodePrompts(checkpoint, text, tokenizer, prompts, run, vectors);
  expect(meant).toEqual(same);
  expect(meant).not.toEqual(other);
});

it('an embedding of another width is refused with the models that it is for', () => {
  const embedding = { name: 'look', words: ['look'], vectors: [tensor([2, 768]), tensor([2, 1280])] };
  expect(() => wordsOfEncoder([embedding], { width: 1024, vocabSize: 9 })).toThrow(
    'The embedding "look" does not fit: the text encoder reads vectors of width 1024, the file has 768 and 1280. It is for Stable Diffusion XL.',
  );
});
