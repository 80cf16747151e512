// What the fused operators and memory-mapped weights are worth against a plain graph of the same weights.

import { timestepEmbedding } from '../companion-server/src/diffusion/timestep-embedding.ts';
import { denoisingUNet } from '../companion-server/src/families/stable-diffusion/unet.ts';
import { parseUNetConfig } from '../companion-server/src/families/stable-diffusion/unet-config.ts';
import type { UNetConfig } from '../companion-server/src/nets/unet-blocks.ts';
import { buildPassGraph } from '../companion-server/src/nets/pass-graph.ts';
import { plainPass } from '../companion-server/src/nets/pass.ts';
import { plainExecution, preferredExecution } from '../companion-server/src/onnx/execution.ts';
import { createSession, type Session } from '../companion-server/src/onnx/session.ts';
import { createRandom } from '../companion-server/src/tensor/random.ts';
import { sizeOf, tensor, type Tensor } from '../companion-server/src/tensor/tensor.ts';
import { maxAbsError } from '../test/numbers.ts';
import { benchFolder } from './folder.ts';
import { interleave, median, timed } from './interleave.ts';
import { randomUNetWeights } from '../test/random-unet.ts';
import type { Bench } from './table.ts';

/** A quarter of Stable Diffusion 1.5's width: large enough that operators and not overheads are measured. */
const config = parseUNetConfig({
  block_out_channels: [80, 160, 320, 320],
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
  attention_head_dim: 8,
  norm_num_groups: 16,
  cross_attention_dim: 768,
});

const { fused } = preferredExecution.cpu;
const plain = { ...plainExecution('cpu').fused, gemm: false };

/** Seeded inputs of a plain UNet pass over `frames` latents of edge x edge. */
export function unetInputs(
  { latentChannels, crossAttentionDim, blockChannels }: UNetConfig,
  frames: number,
  edge: number,
): Record<string, Tensor> {
  const random = createRandom(5);
  const noise = (dims: readonly number[]) =>
    tensor(
      dims,
      Float32Array.from({ length: sizeOf(dims) }, () => random.gaussian()),
    );
  const width = blockChannels[0] ?? 0;
  const embedding = { dim: width, flipSinToCos: true, freqShift: 0 };
  return {
    'latents.source': noise([frames, latentChannels, edge, edge]),
    time_features: tensor([1, width], timestepEmbedding(501, embedding)),
    context: noise([1, 77, crossAttentionDim]),
  };
}

export const unetBench: Bench = {
  name: 'unet',
  title: 'UNet forward: fused operators against a plain, unoptimised graph of the same weights',
  async run({ isQuick, log }) {
    const edge = isQuick ? 32 : 64;
    const weights = await randomUNetWeights(config, benchFolder());
    const open = (name: string, operators: typeof fused, optimization: 'extended' | 'disabled') =>
      createSession(
        buildPassGraph(denoisingUNet(config), { height: edge, width: edge }, plainPass, {
          name,
          weights,
          float: 'float32',
          fused: operators,
        }),
        { provider: 'cpu', optimization },
      );
    const ours = await open('fused', fused, 'extended');
    const other = await open('plain', plain, 'disabled');
    const inputs = unetInputs(config, 2, edge);
    const [fast, slow] = [await predict(ours, inputs), await predict(other, inputs)];
    const scale = slow.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const difference = maxAbsError(fast, slow) / scale;
    const contest = await interleave(
      [() => timed(() => ours.run(inputs)), () => timed(() => other.run(inputs))],
      isQuick ? 3 : 7,
    );
    await ours.release();
    await other.release();
    log(`seconds ${contest.seconds.map((list) => median(list).toFixed(2)).join(' fused, ')} plain`);
    return [
      {
        figure: `UNet forward, fused : plain graph, ${edge}x${edge} latents, batch 2`,
        value: `${contest.ratio.toFixed(2)} x`,
        target: '< 1',
        isMet: contest.ratio < 1,
      },
      {
        figure: 'largest difference of their outputs, as a share of the largest value',
        value: difference.toExponential(1),
        target: '<= 1e-4',
        isMet: difference <= 1e-4,
      },
    ];
  },
};

async function predict(session: Session, inputs: Record<string, Tensor>): Promise<Float32Array> {
  return (await session.run(inputs))['prediction.source']?.data ?? new Float32Array();
}
