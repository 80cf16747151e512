// The VAE and the text encoder of Stable Diffusion 1.5's size. Ours run in single precision on every device, as in an
// edit; PyTorch's run in half precision on a card.

import path from 'node:path';
import { openModel } from '../../companion-server/src/engine/model/model.ts';
import { parseClipTextConfig } from '../../companion-server/src/families/stable-diffusion/clip-text-config.ts';
import { parts } from '../../companion-server/src/families/stable-diffusion/parts.ts';
import { buildClipText } from '../../companion-server/src/nets/clip-text-encoder.ts';
import { sessionOptionsOf } from '../../companion-server/src/onnx/execution.ts';
import { createSession } from '../../companion-server/src/onnx/session.ts';
import { createRandom } from '../../companion-server/src/tensor/random.ts';
import { sizeOf, tensor, type Tensor } from '../../companion-server/src/tensor/tensor.ts';
import { openComponent } from '../../companion-server/src/weights/component.ts';
import { float32Copy } from '../../companion-server/src/weights/float32-copy.ts';
import type { TorchRequest } from '../torch.ts';
import { againstTorch } from './against-torch.ts';
import { rowOf, type Section, type SectionContext } from './section.ts';

/** Of an edit: source, negative, target. */
const prompts = 3;

export const partsSection: Section = {
  name: 'parts',
  leastSeconds: 25,
  mostSeconds: 90,
  async measure(context) {
    const { execution, isQuick, modelDir, workDir } = context;
    const model = await openModel({ dir: modelDir, execution, cacheDir: workDir });
    const { channels, downscale } = model.vae.latents;
    for (const edge of isQuick ? [64] : [512, 768]) {
      if (!context.hasTime(15)) break;
      const size = { height: edge / downscale, width: edge / downscale };
      const shape = { batch: 1, height: edge, width: edge };
      const encoder = await model.openEncoder(size);
      const picture = noise([1, 3, edge, edge]);
      await compare(context, `VAE encode, ${edge}x${edge}`, { part: 'encode', ...shape }, () => encoder.run(picture));
      await encoder.release();
      const decoder = await model.openDecoder(size);
      const latents = noise([1, channels, size.height, size.width]);
      await compare(context, `VAE decode, ${edge}x${edge}`, { part: 'decode', ...shape }, () => decoder.run(latents));
      await decoder.release();
    }
    await compareText(context);
  },
};

/** Its session is made as an edit makes it. */
async function compareText(context: SectionContext): Promise<void> {
  const { execution, modelDir, workDir } = context;
  const component = await openComponent(path.join(modelDir, 'text_encoder'), parts.text_encoder, { variant: 'fp16' });
  const config = parseClipTextConfig(component.config);
  const weights = await float32Copy(component.weights, path.join(workDir, 'weights')).stored();
  const { fused } = execution;
  const graph = buildClipText(
    { ...config, length: config.maxPositions },
    { name: 'text encoder', weights, float: 'float32', fused },
  );
  const session = await createSession(graph, sessionOptionsOf(execution));
  const ids = { dims: [prompts, config.maxPositions], data: new Int32Array(prompts * config.maxPositions) };
  const request = { part: 'text', batch: prompts } as const;
  await compare(context, `text encoder, ${prompts} prompts`, request, () => session.run({ input_ids: ids }));
  await session.release();
}

async function compare(
  context: SectionContext,
  name: string,
  request: TorchRequest,
  run: () => Promise<unknown>,
): Promise<void> {
  const found = await againstTorch(context, request, run, context.isQuick ? 2 : 5);
  const against = found.ratio === null ? '' : `, ${found.ratio.toFixed(2)} x PyTorch`;
  context.report(rowOf(name, `${(1000 * found.seconds).toFixed(1)} ms${against}`), { ...found });
}

function noise(dims: readonly number[]): Tensor {
  const random = createRandom(5);
  return tensor(
    dims,
    Float32Array.from({ length: sizeOf(dims) }, () => random.gaussian()),
  );
}
