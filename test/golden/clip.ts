// The tokenizer and the text encoders against the golden ids and embeddings.

import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createTokenizer } from '../../companion-server/src/diffusion/tokenizer.ts';
import { parseClipTextConfig } from '../../companion-server/src/families/stable-diffusion/clip-text-config.ts';
import { parts } from '../../companion-server/src/families/stable-diffusion/parts.ts';
import { wordsOfEncoder } from '../../companion-server/src/families/prompt-embeddings.ts';
import { buildClipText, type ClipTextConfig } from '../../companion-server/src/nets/clip-text-encoder.ts';
import { sessionOptionsOf } from '../../companion-server/src/onnx/execution.ts';
import { createSession, type Session } from '../../companion-server/src/onnx/session.ts';
import type { StoredTensors } from '../../companion-server/src/tensor/stored-tensor.ts';
import type { Tensor } from '../../companion-server/src/tensor/tensor.ts';
import { openComponent } from '../../companion-server/src/weights/component.ts';
import { readTokenizerFiles } from '../../companion-server/src/weights/tokenizer-files.ts';
import { GoldenFile, holds, weightsFor, type GoldenRun } from './folder.ts';
import { networkLimit } from './networks.ts';
import type { GoldenReport } from './report.ts';

/** Beside an encoder: a prompt with an embedding. */
const embeddingName = 'embedding.safetensors';

interface TokenizerCase {
  readonly prompt: string;
  /** begin, ids, end; without padding, cut at the model's length */
  readonly ids: readonly number[];
}

export async function compareTokenizer(dir: string, report: GoldenReport): Promise<void> {
  const tokenizer = createTokenizer(await readTokenizerFiles(path.join(dir, 'tokenizer')));
  const text = await readFile(path.join(dir, 'tokenizer_cases.json'), 'utf8');
  for (const { prompt, ids } of JSON.parse(text) as readonly TokenizerCase[]) {
    const encoded = tokenizer.encode(prompt).ids.slice(0, ids.length);
    const shown = JSON.stringify(prompt.length > 40 ? `${prompt.slice(0, 40)}...` : prompt);
    report.compare(`tokenizer ${shown}`, encoded, ids, 0);
  }
}

/** Every folder `text_encoder*` beside the tokenizer, or `dir` itself. */
export async function compareTextEncoders(dir: string, run: GoldenRun, report: GoldenReport): Promise<void> {
  const folders = readdirSync(dir).filter(
    (name) => holds(dir, name, 'golden.safetensors') && holds(dir, name, 'config.json'),
  );
  for (const folder of folders) {
    const component = await openComponent(path.join(dir, folder), parts.text_encoder);
    const golden = await GoldenFile.open(path.join(dir, folder));
    const ids = await golden.integers('input_ids');
    const config = { ...parseClipTextConfig(component.config), length: ids.dims[1] ?? 0 };
    const inSinglePrecision = { ...run, execution: { ...run.execution, float: 'float32' as const } };
    const weights = await weightsFor(component.weights, inSinglePrecision);
    const { last_hidden_state: actual } = await encode(config, weights, run, { input_ids: idsOf(ids) });
    const expected = await golden.read('last_hidden_state');
    report.compare(`${folder}.last_hidden_state`, actual?.data ?? [], expected.data, networkLimit(run));
    if (holds(dir, folder, embeddingName)) {
      await compareEmbedding({ folder, dir, config, weights }, run, report);
    }
  }
}

interface TextEncoder {
  readonly dir: string;
  readonly folder: string;
  readonly config: ClipTextConfig;
  readonly weights: StoredTensors;
}

/** A prompt with the rows of an embedding behind the encoder's table of tokens (make/embedding.py). */
async function compareEmbedding(
  { dir, folder, config, weights }: TextEncoder,
  run: GoldenRun,
  report: GoldenReport,
): Promise<void> {
  const golden = await GoldenFile.open(path.join(dir, folder), '', embeddingName);
  const ids = await golden.integers('input_ids');
  const embedding = { name: 'look', words: ['look'], vectors: [await golden.read('vectors')] };
  const { words, vectors } = wordsOfEncoder([embedding], { width: config.hiddenSize, vocabSize: config.vocabSize });
  if (vectors === null) throw new TypeError(`${dir}: ${embeddingName} has no vectors.`);
  const rows = vectors.dims[0] ?? 0;
  // The prompt has the whole embedding from this token on.
  const first = ids.data.findIndex((id) => id >= config.vocabSize);
  report.compare(`${folder}, ids of an embedding`, words.get('look') ?? [], ids.data.slice(first, first + rows), 0);
  const { last_hidden_state: actual } = await encode({ ...config, extraTokens: rows }, weights, run, {
    input_ids: idsOf(ids),
    extra_tokens: vectors,
  });
  const expected = await golden.read('last_hidden_state');
  report.compare(`${folder}, hidden states with an embedding`, actual?.data ?? [], expected.data, networkLimit(run));
}

function idsOf({ dims, data }: Awaited<ReturnType<GoldenFile['integers']>>) {
  return { dims, data: Int32Array.from(data) };
}

async function encode(
  config: ClipTextConfig,
  weights: StoredTensors,
  { execution }: GoldenRun,
  inputs: Parameters<Session['run']>[0],
): Promise<Readonly<Record<string, Tensor>>> {
  const graph = buildClipText(config, { name: 'text encoder', weights, float: 'float32', fused: execution.fused });
  const session = await createSession(graph, sessionOptionsOf(execution));
  try {
    return await session.run(inputs);
  } finally {
    await session.release();
  }
}
