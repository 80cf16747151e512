import { stepDdim } from '../../companion-server/src/diffusion/ddim.ts';
import { createSchedule } from '../../companion-server/src/diffusion/schedule.ts';
import type { Model } from '../../companion-server/src/engine/model/model.ts';
import type { Conditioning } from '../../companion-server/src/nets/conditioning.ts';
import { psnr } from '../../companion-server/src/metrics/psnr.ts';
import type { Tensor } from '../../companion-server/src/tensor/tensor.ts';
import { predict } from '../../companion-server/src/tokenflow/denoiser.ts';
import { invert } from '../../companion-server/src/tokenflow/inversion.ts';
import { InMemoryLatents } from '../../companion-server/src/tokenflow/in-memory-latents.ts';
import { atLeast, decibels, mean } from '../rows.ts';
import type { Gate } from './gate.ts';
import { conditioningOf, decodeLatents, encodeFrames, readFrames, spread } from '../demo-world/pictures.ts';

const steps = 50;
const framesPerClip = 6;

export const inversionGate: Gate = {
  name: 'inversion',
  title: `DDIM inversion and reconstruction with the source prompt, ${steps} steps each way, against the VAE's own reconstruction; ${framesPerClip} frames of each clip`,
  isQuick: false,
  async run({ model, samples, log }) {
    const all: number[] = [];
    for (const sample of samples) {
      const frames = spread(await readFrames(sample.clipPath), framesPerClip);
      const latents = await encodeFrames(model, frames);
      const conditioning = await conditioningOf(model, sample);
      const expected = await decodeLatents(model, latents);
      const found = await decodeLatents(model, await thereAndBack(model, latents, conditioning));
      const here = expected.map((frame, i) => psnr(frame, found[i] ?? frame));
      log(`${sample.name}: ${decibels(mean(here))}, worst frame ${decibels(Math.min(...here))}`);
      all.push(...here);
    }
    const names = samples.map(({ name }) => name).join(', ');
    return [atLeast(`PSNR, ${all.length} frames (${names})`, mean(all), 34, decibels)];
  },
};

async function thereAndBack(model: Model, clean: Tensor, conditioning: Conditioning): Promise<Tensor> {
  const [count = 0, , height = 0, width = 0] = clean.dims;
  const denoiser = model.createDenoiser({ width, height });
  const schedule = createSchedule(model.scheduler, steps);
  const latents = new InMemoryLatents(clean);
  try {
    const inversion = invert({
      denoiser,
      schedule,
      conditioning,
      latents,
      next: latents,
      method: { name: 'ddim' },
      startStep: 0,
      keep: () => undefined,
      chunkSize: count,
    });
    let step = await inversion.next();
    while (step.done !== true) step = await inversion.next();
    let current = latents.tensor;
    for (const timestep of schedule.timesteps) {
      const prediction = await predict(denoiser, current, timestep, conditioning);
      current = stepDdim(current, prediction, timestep, schedule);
    }
    return current;
  } finally {
    await denoiser.release();
  }
}
