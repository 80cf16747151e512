// The tokenizer and the text encoders against the golden ids and embeddings.

import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createTokenizer } from '../../companion-server/src/diffusion/tokenizer.ts';
import { parseClipTextConfig } from '../../companion-server/src/families/stable-diffusion/clip-text-config.ts';
import { parts } from '../../companion-server/src/families/stable-diffusion/parts.ts';
import { buildClipText } from '../../companion-server/src/nets/clip-text-encoder.ts';
import { sessionOptionsOf } from '../../companion-server/src/onnx/execution.ts';
import { createSession } from '../../companion-server/src/onnx/session.ts';
import { openComponent } from '../../companion-server/src/weights/component.ts';
import { readTokenizerFiles } from '../../companion-server/src/weights/tokenizer-files.ts';
import { GoldenFile, holds, weightsFor, type GoldenRun } from './folder.ts';
import { networkLimit } from './networks.ts';
import type { GoldenReport } from './report.ts';

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
    const weights = await weightsFor(component.weights, { ...run, execution: { ...run.execution, float: 'float32' } });
    const { fused } = run.execution;
    const graph = buildClipText(config, { name: 'text encoder', weights, float: 'float32', fused });
    const session = await createSession(graph, sessionOptionsOf(run.execution));
    const { last_hidden_state: actual } = await session.run({
      input_ids: { dims: ids.dims, data: Int32Array.from(ids.data) },
    });
    await session.release();
    const expected = await golden.read('last_hidden_state');
    report.compare(`${folder}.last_hidden_state`, actual?.data ?? [], expected.data, networkLimit(run));
  }
}
