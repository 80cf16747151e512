// DDIM inversion on a fake network.

import { describe, expect, it } from 'vitest';
import { FakeDenoiser } from '../../../test/fake-denoiser.ts';
import { invertDdimStep } from '../diffusion/ddim.ts';
import { tensor, type Tensor } from '../tensor/tensor.ts';
import { InMemoryLatents } from './in-memory-latents.ts';
import { invert } from './inversion.ts';
import { dims, conditioning, clean, scheduleOf, runInversion } from '../../../test/memory-inversion.ts';

describe('DDIM inversion', () => {
  const schedule = scheduleOf(3);
  const options = {
    denoiser: new FakeDenoiser(),
    schedule,
    conditioning,
    startStep: 0,
    method: { name: 'ddim' },
  } as const;

  it('walks up the timesteps in place and keeps the latents of those that are wanted', async () => {
    const wanted = schedule.timesteps.slice(1);
    const kept = new Map(wanted.map((timestep) => [timestep, new InMemoryLatents(tensor(dims))]));
    const latents = new InMemoryLatents(clean);
    const after: Tensor[] = [];
    const run = invert({ ...options, latents, next: latents, keep: (timestep) => kept.get(timestep), chunkSize: 2 });
    for await (const step of run) {
      after.push(new InMemoryLatents(latents.tensor).tensor);
      expect(step).toBe(after.length);
    }
    for (const [index, timestep] of schedule.timesteps.toReversed().entries()) {
      expect(kept.get(timestep)?.tensor).toEqual(wanted.includes(timestep) ? after[index] : undefined);
    }
  });

  it('takes the step that the prediction at the latents below gives', async () => {
    const latents = new InMemoryLatents(clean);
    const t = schedule.timesteps.at(-1) ?? NaN;
    const prediction = await new FakeDenoiser().predict(clean, t, conditioning);
    await runInversion({ ...options, latents, next: latents, keep: () => undefined, chunkSize: 2 }, 1);
    expect(latents.tensor).toEqual(invertDdimStep(clean, prediction, t, schedule));
  });

  it('does not depend on the chunk size', async () => {
    const results = [];
    for (const chunkSize of [1, 2, 5, 9]) {
      const latents = new InMemoryLatents(clean);
      await runInversion({ ...options, latents, next: latents, keep: () => undefined, chunkSize });
      results.push(latents.tensor);
    }
    for (const result of results) expect(result).toEqual(results[0]);
  });

  it('that gives no number is an error', async () => {
    class Overflowing extends FakeDenoiser {
      override predict(latents: Tensor): Promise<Tensor> {
        return Promise.resolve({ ...latents, data: latents.data.map(() => NaN) });
      }
    }
    const latents = new InMemoryLatents(clean);
    const run = {
      ...options,
      denoiser: new Overflowing(),
      latents,
      next: latents,
      keep: () => undefined,
      chunkSize: 2,
    };
    await expect(runInversion(run)).rejects.toMatchObject({ code: 'result-invalid' });
  });
});
