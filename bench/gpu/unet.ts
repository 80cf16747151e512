// One UNet forward of Stable Diffusion 1.5's size, against PyTorch on the same card in the same minutes.

import { sessionOptionsOf } from '../../companion-server/src/onnx/execution.ts';
import { multiplyAdds } from '../../companion-server/src/onnx/graph-work.ts';
import { createSession } from '../../companion-server/src/onnx/session.ts';
import { denoisingUNet } from '../../companion-server/src/families/stable-diffusion/unet.ts';
import { parseUNetConfig } from '../../companion-server/src/families/stable-diffusion/unet-config.ts';
import { buildPassGraph } from '../../companion-server/src/nets/pass-graph.ts';
import { plainPass } from '../../companion-server/src/nets/pass.ts';
import { randomUNetWeights } from '../../test/random-unet.ts';
import { unetInputs } from '../unet.ts';
import { againstTorch } from './against-torch.ts';
import { unetConfigOf } from '../../test/random-checkpoint.ts';
import { rowOf, type Section, type SectionContext } from './section.ts';

const tokens = 77;
const targetRatio = 1.5;

export const unetSection: Section = {
  name: 'unet',
  leastSeconds: 20,
  mostSeconds: 120,
  async measure(context) {
    const { execution, isQuick, size, workDir } = context;
    const edge = isQuick ? 8 : 64;
    const config = parseUNetConfig(unetConfigOf(size));
    const weights = await randomUNetWeights(config, workDir, 'F16');
    const { float, fused } = execution;
    const graph = buildPassGraph(denoisingUNet(config), { height: edge, width: edge }, plainPass, {
      name: 'unet',
      weights,
      float,
      fused,
    });
    const start = performance.now();
    const session = await createSession(graph, sessionOptionsOf(execution));
    const load = (performance.now() - start) / 1000;
    context.report(rowOf('UNet session load', `${load.toFixed(1)} s`), { seconds: load });
    for (const batch of isQuick ? [1, 2] : [2, 8, 1, 16]) {
      if (!context.hasTime(5)) break;
      const inputs = unetInputs(config, batch, edge);
      const flops = 2 * multiplyAdds(graph, { frames: batch, tokens });
      await compareForward(context, { batch, edge, flops, run: () => session.run(inputs) });
    }
    await session.release();
  },
};

interface Forward {
  readonly batch: number;
  readonly edge: number;
  readonly flops: number;
  readonly run: () => Promise<unknown>;
}

async function compareForward(context: SectionContext, { batch, edge, flops, run }: Forward): Promise<void> {
  const request = { part: 'unet', batch, height: edge, width: edge } as const;
  const found = await againstTorch(context, request, run, context.isQuick ? 3 : 7);
  const { seconds, ratio } = found;
  const share = context.peakFlops === null ? null : flops / seconds / context.peakFlops;
  const speed = `${(flops / seconds / 1e12).toFixed(2)} TFLOP/s`;
  const ofPeak = share === null ? '' : `, ${(100 * share).toFixed(0)} % of the card's large product`;
  const figure = `UNet forward, batch ${batch}, ${edge}x${edge} latents`;
  context.report(rowOf(figure, `${(1000 * seconds).toFixed(1)} ms, ${speed}${ofPeak}`), {
    batch,
    edge,
    flops,
    share,
    ...found,
  });
  if (ratio === null) return;
  const subject = `UNet forward, ours : PyTorch, batch ${batch}`;
  context.report(rowOf(subject, `${ratio.toFixed(2)} x`, `<= ${targetRatio}`, ratio <= targetRatio), { batch, ratio });
}
