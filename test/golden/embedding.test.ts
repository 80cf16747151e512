// A text encoder with the rows of an embedding, against transformers (make/embedding.py).

import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { wordsOfEncoder } from '../../companion-server/src/families/prompt-embeddings.ts';
import { buildClipText } from '../../companion-server/src/nets/clip-text-encoder.ts';
import { openSafetensors, readIntegers, readTensor } from '../../companion-server/src/weights/safetensors.ts';
import {
  fixtureText,
  goldenDir,
  graphOptions,
  openFixtureNetworks,
  type FixtureNetworks,
} from '../fixture-networks.ts';
import { runGraph } from '../run-graph.ts';

let networks: FixtureNetworks;
beforeAll(async () => {
  networks = await openFixtureNetworks();
});
afterAll(() => networks.remove());

it('the hidden states of a prompt with an embedding are those of transformers', async () => {
  const golden = await openSafetensors(path.join(goldenDir, 'embedding.safetensors'));
  const { dims, data: ids } = await readIntegers(golden, 'input_ids');
  const encoder = await networks.open('clip/text_encoder_quick_gelu', 'text_encoder');
  const config = fixtureText(encoder);
  const embedding = { name: 'look', words: ['look'], vectors: [await readTensor(golden, 'vectors')] };
  const { words, vectors } = wordsOfEncoder([embedding], { width: config.hiddenSize, vocabSize: config.vocabSize });
  expect(ids.slice(3, 6)).toEqual(words.get('look'));
  if (vectors === null) expect.fail('there are no vectors');
  const graph = buildClipText({ ...config, extraTokens: vectors.dims[0] ?? 0 }, graphOptions(encoder));
  const { last_hidden_state: found } = await runGraph(graph, {
    input_ids: { dims, data: Int32Array.from(ids) },
    extra_tokens: vectors,
  });
  const wanted = await readTensor(golden, 'last_hidden_state');
  expect(found?.dims).toEqual(wanted.dims);
  const worst = Math.max(...wanted.data.map((value, i) => Math.abs(value - (found?.data[i] ?? NaN))));
  expect(worst).toBeLessThan(1e-5);
});
