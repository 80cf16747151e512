// A UNet of Stable Diffusion 1.5's real size on the CPU: against PyTorch on the same threads, and the time to load.

import { readFile } from 'node:fs/promises';
import { denoisingUNet } from '../companion-server/src/families/stable-diffusion/unet.ts';
import { buildPassGraph } from '../companion-server/src/nets/pass-graph.ts';
import { plainPass } from '../companion-server/src/nets/pass.ts';
import { preferredExecution } from '../companion-server/src/onnx/execution.ts';
import { createSession } from '../companion-server/src/onnx/session.ts';
import { benchFolder } from './folder.ts';
import { interleave, median, timed } from './interleave.ts';
import { randomUNetWeights, sd15Config } from '../test/random-unet.ts';
import { reported } from './rows.ts';
import type { Bench, BenchRow } from './table.ts';
import { Torch } from './torch.ts';
import { unetInputs } from './unet.ts';

const threads = 2;
const batch = 2;
const edge = 32;
/** The current PyTorch, with its fused attention and channels-last convolutions, is that much faster than in 2022. */
const targetRatio = 0.8;

export const sd15Bench: Bench = {
  name: 'sd15',
  title: "UNet of Stable Diffusion 1.5's size, random weights, float32, CPU",
  async run({ isQuick, log }) {
    const weights = await randomUNetWeights(sd15Config, benchFolder());
    const { fused } = preferredExecution.cpu;
    const graph = buildPassGraph(denoisingUNet(sd15Config), { height: edge, width: edge }, plainPass, {
      name: 'sd15',
      weights,
      float: 'float32',
      fused,
    });
    const load = (prepacked = false) => createSession(graph, { provider: 'cpu', threads, prepacked });
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
    const rounds = isQuick ? 1 : 5;
    const torch = await Torch.start({ device: 'cpu', threads });
    if (torch === null) {
      log('Python has no PyTorch 2 (TOKENFLOW_PYTHON names another): no comparison.');
      await ours();
      rows.push(reported('one forward', `${(await ours()).toFixed(1)} s`));
    } else {
      const theirs = () => torch.time({ part: 'unet', batch, height: edge, width: edge });
      const contest = await interleave([ours, theirs], rounds);
      torch.stop();
      log(`seconds ${contest.seconds.map((list) => median(list).toFixed(2)).join(' ours, ')} ${torch.title}`);
      rows.push({
        figure: `forward, ours : ${torch.title}, ${edge}x${edge} latents, batch ${batch}, ${threads} threads`,
        value: `${contest.ratio.toFixed(2)} x`,
        target: `<= ${targetRatio}`,
        isMet: contest.ratio <= targetRatio,
      });
    }
    const before = await privateBytes();
    const packed = await load(true);
    const packedBytes = Math.max(0, (await privateBytes()) - before);
    const packedContest = await interleave([() => timed(() => packed.run(inputs)), ours], rounds);
    await packed.release();
    rows.push(
      reported(`forward, prepacked weights : mapped ones`, `${packedContest.ratio.toFixed(2)} x`),
      reported('memory of one session more with prepacked weights', `${(packedBytes / 2 ** 30).toFixed(1)} GiB`),
    );
    await session.release();
    return rows;
  },
};

/** Memory of this process that it shares with nobody: pages of mapped weights are not among it. Linux only. */
async function privateBytes(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  return 1024 * Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN);
}
