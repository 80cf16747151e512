// A UNet of Stable Diffusion 1.5's real size on the CPU: against PyTorch on the same threads, and the time to load.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { buildPlainUNet } from '../companion-server/src/nets/unet-graphs.ts';
import { preferredExecution } from '../companion-server/src/onnx/execution.ts';
import { createSession } from '../companion-server/src/onnx/session.ts';
import { benchFolder } from './folder.ts';
import { interleave, median, timed } from './interleave.ts';
import { randomUNetWeights, sd15Config } from './random-unet.ts';
import type { Bench, BenchRow } from './table.ts';
import { unetInputs } from './unet.ts';

const threads = 2;
const batch = 2;
const edge = 32;
const python = '/usr/bin/python3';
const script = path.join(import.meta.dirname, '..', 'models', 'demo', 'train', 'time_sd15_unet.py');

export const sd15Bench: Bench = {
  name: 'sd15',
  title: "UNet of Stable Diffusion 1.5's size, random weights, float32, CPU",
  async run({ isQuick, log }) {
    const weights = await randomUNetWeights(sd15Config, benchFolder());
    const { fused } = preferredExecution.cpu;
    const load = () =>
      createSession(
        buildPlainUNet(sd15Config, { height: edge, width: edge }, { name: 'sd15', weights, float: 'float32', fused }), // prettier-ignore
        { provider: 'cpu', threads },
      );
    const loads: number[] = [];
    for (let round = 0; round < 3; round++) {
      loads.push(await timed(async () => (await load()).release()));
    }
    const session = await load();
    const inputs = unetInputs(sd15Config, batch, edge);
    const ours = () => timed(() => session.run(inputs));
    const rows: BenchRow[] = [
      {
        figure: 'session load from warm files, median of 3',
        value: `${median(loads).toFixed(2)} s`,
        target: '<= 1 s',
        isMet: median(loads) <= 1,
      },
    ];
    const torch = await startTorch();
    if (torch === null) {
      log(`PyTorch is not there (${python} with python3-torch): no comparison.`);
      await ours();
      rows.push({ figure: 'one forward', value: `${(await ours()).toFixed(1)} s`, target: '', isMet: true }); // prettier-ignore
    } else {
      const contest = await interleave([ours, () => torch.forward()], isQuick ? 1 : 3);
      torch.stop();
      log(
        `seconds ${contest.seconds.map((list) => median(list).toFixed(2)).join(' ours, ')} PyTorch`,
      );
      rows.push({
        figure: `forward, ours : PyTorch, ${edge}x${edge} latents, batch ${batch}, ${threads} threads`,
        value: `${contest.ratio.toFixed(2)} x`,
        target: '<= 0.45',
        isMet: contest.ratio <= 0.45,
      });
    }
    await session.release();
    return rows;
  },
};

interface Torch {
  forward(): Promise<number>;
  stop(): void;
}

/** PyTorch in a process of its own, or null when it is not installed. */
async function startTorch(): Promise<Torch | null> {
  const child = spawn(python, [script, String(threads), String(batch), String(edge)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = once(child, 'error').then(() => ({ done: true, value: undefined }) as const);
  const first = await Promise.race([lines.next(), failed]);
  if (first.done === true || first.value !== 'ready') return null;
  return {
    async forward() {
      child.stdin.write('\n');
      return Number((await lines.next()).value);
    },
    stop: () => child.kill(),
  };
}
