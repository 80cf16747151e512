// The tokens at the doors of single transformer blocks in the first step, to find where a difference begins.

import { UNetDenoiser } from '../../companion-server/src/engine/model/unet-denoiser.ts';
import type { Tensor } from '../../companion-server/src/tensor/tensor.ts';
import { sample } from '../../companion-server/src/tokenflow/sampler.ts';
import { InMemoryLatents } from '../../companion-server/src/tokenflow/in-memory-latents.ts';
import { maxAbsError } from '../numbers.ts';
import { samplerOptions, type FlowName, type FlowSetting } from './flows.ts';
import type { GoldenReport } from './report.ts';

const limit = 1e-3;
/** On a device: the share of values that must be within the limit; a flipped neighbour moves whole tokens. */
const closeShareOnDevice = 0.99;
const deviceLimit = 2e-2;

/** `pnp.block.mid_block.attentions.0.transformer_blocks.0.batch1.out` */
const namePattern = /^(\w+)\.block\.(.+)\.(keyframes|batch\d+)\.(in|out)$/;

export async function compareBlocks(setting: FlowSetting, report: GoldenReport): Promise<void> {
  const names = setting.golden.names.filter((name) => namePattern.test(name));
  const parsed = names.map((name) => ({ name, parts: namePattern.exec(name) ?? [] }));
  for (const flow of new Set(parsed.map(({ parts }) => parts[1] as FlowName))) {
    const own = parsed.filter(({ parts }) => parts[1] === flow);
    const passes = await observeFirstStep(setting, flow, [...new Set(own.map(({ parts }) => parts[2] ?? ''))]);
    for (const { name, parts } of own) {
      const [, , block = '', pass = '', door = ''] = parts;
      // The keyframe pass runs first, then the batches in order.
      const index = pass === 'keyframes' ? 0 : 1 + Number(pass.slice('batch'.length));
      const actual = passes[index]?.[`${door}.${block}`];
      compareTokens(setting, name, actual, await setting.golden.read(name), report);
    }
  }
}

/** The observed tokens of every pass of the first step, in the order in which they ran. */
async function observeFirstStep(
  setting: FlowSetting,
  flow: FlowName,
  blocks: readonly string[],
): Promise<readonly Readonly<Record<string, Tensor>>[]> {
  const passes: Readonly<Record<string, Tensor>>[] = [];
  const observation = { blocks, onOutputs: (outputs: Readonly<Record<string, Tensor>>) => void passes.push(outputs) };
  const denoiser = new UNetDenoiser({ ...setting.unet, keepsBatch: false, size: setting.size, observation });
  const start = new InMemoryLatents(await setting.golden.read(`${flow}.start`));
  await sample(await samplerOptions(setting, flow, denoiser, start)).next();
  await denoiser.release();
  return passes;
}

function compareTokens(
  { run }: FlowSetting,
  name: string,
  actual: Tensor | undefined,
  expected: Tensor,
  report: GoldenReport,
): void {
  const values = actual?.data ?? new Float32Array();
  if (run.execution.provider === 'cpu') {
    report.compare(name, values, expected.data, limit);
    return;
  }
  const close = expected.data.filter((value, i) => Math.abs(value - (values[i] ?? NaN)) <= deviceLimit);
  const share = close.length / expected.data.length;
  const worst = maxAbsError(values, expected.data).toExponential(2);
  const finding = `${(100 * share).toFixed(1)} % within ${deviceLimit}, ${100 * closeShareOnDevice} % needed, worst ${worst}`;
  report.record(name, share >= closeShareOnDevice, finding);
}
