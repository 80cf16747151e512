// The decoder of TAESD against diffusers' AutoencoderTiny (make/tiny_decoder.py), in the names of both.

import path from 'node:path';
import { sessionOptionsOf } from '../../companion-server/src/onnx/execution.ts';
import { createSession } from '../../companion-server/src/onnx/session.ts';
import { buildTinyDecoder, tinyDecoderLayout } from '../../companion-server/src/nets/tiny-decoder.ts';
import { openSafetensors, storedTensors } from '../../companion-server/src/weights/safetensors.ts';
import { tensorsInFiles } from '../../companion-server/src/weights/tensor-source.ts';
import { GoldenFile, weightsFor, type GoldenRun } from './folder.ts';
import { networkLimit } from './networks.ts';
import type { GoldenReport } from './report.ts';

/** In the names of the original code. */
export const tinyDecoderName = 'taesd_decoder.safetensors';

export async function compareTinyDecoder(dir: string, run: GoldenRun, report: GoldenReport): Promise<void> {
  const golden = await GoldenFile.open(dir);
  const latents = await golden.read('latents');
  const [, , height = 0, width = 0] = latents.dims;
  const wanted = await golden.read('image');
  for (const name of ['diffusion_pytorch_model.safetensors', tinyDecoderName]) {
    const stored = storedTensors(await openSafetensors(path.join(dir, name)));
    const layout = tinyDecoderLayout(stored);
    if (layout === null) throw new TypeError(`${name} has no decoder.`);
    const { float, fused } = run.execution;
    const weights = await weightsFor(tensorsInFiles(stored), run);
    const graph = buildTinyDecoder(layout, { height, width }, { name: 'tiny decoder', weights, float, fused });
    const session = await (run.createSession ?? createSession)(graph, sessionOptionsOf(run.execution));
    try {
      const { image } = await session.run({ latents });
      report.compare(`tiny decoder of ${name}`, image?.data ?? [], wanted.data, networkLimit(run));
    } finally {
      await session.release();
    }
  }
}
