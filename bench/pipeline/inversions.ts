// What an inversion finds again for the forwards it takes: the reference pipeline's DDIM inversion, which takes small steps
// and asks the network about the latents below, against the fast pipeline's fixed-point inversion of sampling's own steps.

import { stepDdim } from '../../companion-server/src/diffusion/ddim.ts';
import { createInversionSchedule } from '../../companion-server/src/diffusion/inversion-schedule.ts';
import { createSchedule, type Schedule } from '../../companion-server/src/diffusion/schedule.ts';
import { openModel, type Model } from '../../companion-server/src/engine/model/model.ts';
import type { Conditioning } from '../../companion-server/src/nets/conditioning.ts';
import { psnr } from '../../companion-server/src/metrics/psnr.ts';
import { preferredExecution } from '../../companion-server/src/onnx/execution.ts';
import { tensor, type Tensor } from '../../companion-server/src/tensor/tensor.ts';
import { predict } from '../../companion-server/src/tokenflow/denoiser.ts';
import { InMemoryLatents } from '../../companion-server/src/tokenflow/in-memory-latents.ts';
import { invert, type InversionMethod, type InversionOptions } from '../../companion-server/src/tokenflow/inversion.ts';
import { conditioningOf, decodeLatents, encodeFrames, readFrames, spread } from '../demo-world/pictures.ts';
import { benchFolder } from '../folder.ts';
import { decibels, mean, reported } from '../rows.ts';
import type { Figure, PipelineContext } from './figure.ts';

const framesPerClip = 2;

interface Contestant {
  readonly sampling: number;
  /** Forwards of the inversion per sampling step. */
  readonly forwards: number;
  readonly method: InversionMethod['name'];
}

const methodNames: Readonly<Record<InversionMethod['name'], string>> = {
  ddim: 'DDIM',
  'fixed-point': 'fixed-point',
  noised: 'noised',
};

const contestants: readonly Contestant[] = [
  { sampling: 12, forwards: 1, method: 'ddim' },
  { sampling: 12, forwards: 1, method: 'fixed-point' },
  { sampling: 12, forwards: 2, method: 'ddim' },
  { sampling: 12, forwards: 2, method: 'fixed-point' },
  { sampling: 12, forwards: 3, method: 'fixed-point' },
  { sampling: 20, forwards: 1, method: 'ddim' },
  { sampling: 20, forwards: 1, method: 'fixed-point' },
  { sampling: 50, forwards: 1, method: 'ddim' },
];

export const inversions: Figure = {
  name: 'inversions',
  async measure(context) {
    const model = await openModel({
      dir: context.modelDir,
      execution: preferredExecution.cpu,
      cacheDir: benchFolder(),
    });
    const rows = [];
    for (const contestant of contestants) {
      const { sampling, forwards, method } = contestant;
      const { found, deviation } = await measure(context, model, contestant);
      const figure = `reconstruction, ${methodNames[method]} inversion, ${sampling * forwards} forwards, ${sampling} DDIM steps back`;
      const value = `${decibels(found)}, noise of deviation ${deviation.toFixed(2)}`;
      context.log(`${figure}: ${value}`);
      rows.push(reported(figure, value));
    }
    return rows;
  },
};

async function measure({ samples }: PipelineContext, model: Model, contestant: Contestant) {
  const found: number[] = [];
  const deviations: number[] = [];
  for (const sample of samples) {
    const frames = spread(await readFrames(sample.clipPath), framesPerClip);
    const clean = await encodeFrames(model, frames);
    const conditioning = await conditioningOf(model, sample);
    const expected = await decodeLatents(model, clean);
    const { back, deviation } = await thereAndBack(model, clean, conditioning, contestant);
    const pictures = await decodeLatents(model, back);
    found.push(...expected.map((frame, i) => psnr(frame, pictures[i] ?? frame)));
    deviations.push(deviation);
  }
  return { found: mean(found), deviation: mean(deviations) };
}

async function thereAndBack(model: Model, clean: Tensor, conditioning: Conditioning, contestant: Contestant) {
  const [chunkSize = 0, , height = 0, width = 0] = clean.dims;
  const denoiser = model.createDenoiser({ width, height });
  const sampling = createSchedule(model.scheduler, contestant.sampling);
  const [even, odd] = [new InMemoryLatents(clean), new InMemoryLatents(tensor(clean.dims))];
  const shared = { denoiser, conditioning, latents: even, next: odd, startStep: 0, keep: () => undefined, chunkSize };
  try {
    let steps = 0;
    for await (const step of invert({ ...shared, ...methodOf(model, sampling, contestant, clean.dims) })) steps = step;
    let latents = (steps % 2 === 0 ? even : odd).tensor;
    const deviation = Math.sqrt(mean([...latents.data].map((value) => value * value)));
    for (const timestep of sampling.timesteps) {
      const prediction = await predict(denoiser, latents, timestep, conditioning);
      latents = stepDdim(latents, prediction, timestep, sampling);
    }
    return { back: latents, deviation };
  } finally {
    await denoiser.release();
  }
}

/** The method with the timesteps that it walks: DDIM spends further forwards on smaller steps, the other on its own. */
function methodOf(
  model: Model,
  sampling: Schedule,
  { method, forwards }: Contestant,
  dims: readonly number[],
): Pick<InversionOptions, 'method' | 'schedule'> {
  if (method === 'ddim') {
    const steps = forwards * sampling.timesteps.length;
    return { method: { name: 'ddim' }, schedule: createInversionSchedule(model.scheduler, sampling, steps) };
  }
  const noise = [0, 1, 2].map(() => new InMemoryLatents(tensor(dims)));
  const noiseAt = (step: number) => {
    const store = noise[step % noise.length];
    if (store === undefined) throw new RangeError(`There is no store for step ${step}.`);
    return store;
  };
  return {
    method: { name: 'fixed-point', iterations: forwards, noiseAt, earlier: null, cache: null },
    schedule: sampling,
  };
}
