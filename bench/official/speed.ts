// Seconds of inversion and sampling steps, the engine's and the official code's in turns.

import { preferredExecution } from '../../companion-server/src/onnx/execution.ts';
import { createSession } from '../../companion-server/src/onnx/session.ts';
import { UNetDenoiser, type UNetDenoiserOptions } from '../../companion-server/src/engine/model/unet-denoiser.ts';
import { denoisingUNet } from '../../companion-server/src/families/stable-diffusion/unet.ts';
import type { UNetConfig } from '../../companion-server/src/nets/unet-blocks.ts';
import { openUNet } from '../../test/golden/networks.ts';
import { benchModel } from '../engine-run.ts';
import { benchFolder } from '../folder.ts';
import { interleave, median } from '../interleave.ts';
import type { PythonProcess } from '../python-process.ts';
import { randomUNetWeights, sd15Config } from '../../test/random-unet.ts';
import { reported } from '../rows.ts';
import type { BenchOptions, BenchRow } from '../table.ts';
import { startOfficialCode, threads, type OfficialNetwork } from './official-code.ts';
import { TimedEdit, type EditShape } from './timed-edit.ts';

interface Contest {
  readonly name: string;
  readonly shape: EditShape;
  readonly network: OfficialNetwork;
  readonly rounds: number;
  readonly open: () => Promise<Omit<UNetDenoiserOptions, 'size'> & { readonly config: UNetConfig }>;
}

const common = { steps: 5, inversionSteps: 25, guidance: 7.5 } as const;

const embedded: Contest = {
  name: 'embedded model, 16 frames of 128x128',
  shape: { ...common, frames: 16, keyframeInterval: 8, edge: 32, chunkSize: 16, maxLatents: 16 },
  network: { model: benchModel() },
  rounds: 5,
  open: () =>
    openUNet(benchModel(), {
      execution: preferredExecution.cpu,
      cacheDir: benchFolder(),
      createSession: (graph, options) => createSession(graph, { ...options, threads }),
    }),
};

const sd15: Contest = {
  name: "network of Stable Diffusion 1.5's size, random weights, 4 frames of 256x256",
  // Attention and features injected in the first step, features in the second, nothing in the last two.
  shape: { ...common, steps: 2, frames: 4, keyframeInterval: 2, edge: 32, chunkSize: 4, maxLatents: 16 },
  network: { channels: sd15Config.blockChannels },
  rounds: 1,
  open: async () => ({
    config: sd15Config,
    network: denoisingUNet(sd15Config),
    graph: { weights: await randomUNetWeights(sd15Config, benchFolder()), ...preferredExecution.cpu },
    createSession: (make) => createSession(make(), { provider: 'cpu', threads }),
    keepsBatch: false,
  }),
};

/** On the embedded model, or on a network of Stable Diffusion 1.5's size with random weights. */
export async function measureSpeed(
  folder: string,
  model: 'embedded' | 'sd15',
  { rounds, log }: BenchOptions,
): Promise<readonly BenchRow[]> {
  const contest = { embedded, sd15 }[model];
  const python = await startOfficialCode(folder, contest.network, log);
  if (python === null) return [];
  try {
    return await runContest(contest, python, rounds ?? contest.rounds, log);
  } finally {
    python.stop();
  }
}

async function runContest(
  { name, shape, open }: Contest,
  python: PythonProcess,
  rounds: number,
  log: BenchOptions['log'],
): Promise<readonly BenchRow[]> {
  const { edge, frames, steps, guidance, keyframeInterval, inversionSteps } = shape;
  const options = await open();
  const denoiser = new UNetDenoiser({ ...options, size: { height: edge, width: edge } });
  const edit = new TimedEdit(denoiser, options.config, shape);
  let opening = 0;
  let graphs = 0;
  denoiser.onOpened = (seconds) => {
    opening += seconds;
    graphs += 1;
  };
  try {
    await python.ask({
      do: 'prepare',
      ...{ frames, height: edge, width: edge, steps, guidance, keyframes: edit.keyframes },
      ...{ inversion_steps: inversionSteps, keyframe_interval: keyframeInterval },
    });
    const inversion = await interleave([() => edit.invert(), () => python.seconds({ do: 'invert' })], rounds);
    // Ours opens its graphs before it counts; the official code has none to open, and its weights have been read above.
    const contestants = [() => edit.sample(), () => python.seconds({ do: 'sample' })];
    const sampling = await interleave(contestants, rounds, contestants.slice(0, 1));
    const perStep = (seconds: readonly (readonly number[])[], count: number) =>
      seconds.map((each) => `${(median(each) / count).toFixed(3)} s`).join(' : ');
    log(`${name}, ours : official, seconds of rounds: ${JSON.stringify({ inversion, sampling })}`);
    const of = `${name}, ${threads} threads, median of ${rounds}`;
    return [
      reported(
        `an inversion step, ours : official, ${of}`,
        `${inversion.ratio.toFixed(2)} x (${perStep(inversion.seconds, 1)})`,
      ),
      reported(
        `a sampling step, ours : official, ${of}`,
        `${sampling.ratio.toFixed(2)} x (${perStep(sampling.seconds, steps)})`,
      ),
      reported(`opening ${graphs} graphs once, ${name}`, `${opening.toFixed(1)} s`),
    ];
  } finally {
    await denoiser.release();
  }
}
