// The projection of a prompt in both forms in which files have it. Other numbers are compared with the reference in test/golden.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { goldenDir } from '../../../../test/fixture-networks.ts';
import { fused, runGraph } from '../../../../test/run-graph.ts';
import { tensor, type Tensor } from '../../tensor/tensor.ts';
import { openSafetensors, readTensor, storedTensors } from '../../weights/safetensors.ts';
import { writeSafetensors } from '../../weights/safetensors-write.ts';
import { buildClipText, type ClipTextConfig } from '../../nets/clip-text-encoder.ts';

const length = 16;
const projection = 10;
const config: ClipTextConfig = {
  hiddenSize: 20,
  intermediateSize: 40,
  layers: 3,
  heads: 4,
  vocabSize: 212,
  maxPositions: length,
  length,
  activation: 'gelu',
  epsilon: 1e-5,
};

let dir: string;
let weights: Map<string, Tensor>;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-text-'));
  const file = await openSafetensors(path.join(goldenDir, 'sdxl', 'text_encoder_2', 'model.safetensors'));
  weights = new Map();
  for (const name of file.entries.keys()) weights.set(name, await readTensor(file, name));
});
afterAll(() => rm(dir, { recursive: true }));

async function embeddings(name: string, tensors: ReadonlyMap<string, Tensor>): Promise<Float32Array> {
  const file = path.join(dir, `${name}.safetensors`);
  await writeSafetensors(file, tensors);
  const stored = storedTensors(await openSafetensors(file));
  const graph = buildClipText(
    config,
    { name, weights: stored, float: 'float32', fused },
    { hidden: 'penultimate', projection },
  );
  const ids = Int32Array.from({ length: 2 * length }, (_, i) => (7 * i) % config.vocabSize);
  const { text_embeds: found } = await runGraph(graph, {
    input_ids: { dims: [2, length], data: ids },
    end_rows: { dims: [2], data: Int32Array.of(5, length + 15) },
  });
  return found?.data ?? new Float32Array();
}

it('the projection of OpenCLIP is that of transformers, transposed', async () => {
  const key = 'text_projection.weight';
  const { data } = weights.get(key) ?? tensor([0]);
  const { hiddenSize } = config;
  const transposed = Float32Array.from(
    { length: data.length },
    (_, i) => data[(i % projection) * hiddenSize + Math.floor(i / projection)] ?? NaN,
  );
  const openClip = new Map(weights);
  openClip.delete(key);
  openClip.set('text_projection', tensor([hiddenSize, projection], transposed));
  const expected = await embeddings('transformers', weights);
  expect(expected).toHaveLength(2 * projection);
  expect(await embeddings('open-clip', openClip)).toBeAllClose(expected, { atol: 1e-6 });
});
