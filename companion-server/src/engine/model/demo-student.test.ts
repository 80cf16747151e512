// The LoRA of few steps that comes with the embedded model.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guide } from '../../diffusion/guidance.ts';
import { denoiseLcm, isLcm } from '../../diffusion/lcm.ts';
import { stepDown } from '../../diffusion/sampling-step.ts';
import { createSchedule } from '../../diffusion/schedule.ts';
import { frameNoise } from '../../diffusion/seeded-noise.ts';
import { ddim } from '../../diffusion/solver.ts';
import type { ModelOutline } from '../../families/family.ts';
import { preferredExecution } from '../../onnx/execution.ts';
import { subtract, type Tensor } from '../../tensor/tensor.ts';
import { predict } from '../../tokenflow/denoiser.ts';
import type { LoraFile } from '../../weights/lora/lora-file.ts';
import { openModel, readModelOutline, type Model } from './model.ts';

const embeddedModelDir = fileURLToPath(new URL('../../../../models/demo', import.meta.url));
const file = path.join(embeddedModelDir, 'loras', 'demo-lcm-lora.safetensors');
const student: LoraFile = { name: 'demo-lcm-lora', file, strength: 1 };
const size = { width: 32, height: 32 };
const prompt = 'a blue cube in the city';

let dir: string;
let demo: ModelOutline;
beforeAll(async () => {
  demo = await readModelOutline(embeddedModelDir, undefined, { loras: [student] });
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-student-'));
});
afterAll(() => rm(dir, { recursive: true }));

const open = (loras: readonly LoraFile[]) =>
  openModel({ dir: embeddedModelDir, execution: preferredExecution.cpu, cacheDir: dir, loras });

describe("the embedded model's LoRA of few steps", () => {
  it('makes it a model of four steps of LCM without guidance, and every key of it fits', async () => {
    const { scheduler, defaults } = demo;
    expect(scheduler.solver).toMatchObject({ kind: 'lcm', originalSteps: 50 });
    expect(defaults).toEqual({ guidance: 1, steps: 4, fewSteps: 'lora' });
    expect((await open([student])).notices([])).toEqual([]);
  });

  it('estimates from noise what the model draws with guidance, nearer than the model itself does', async () => {
    const noise = frameNoise(1, [0], [4, size.height, size.width]);
    const { drawn, before } = await withDenoiser(await open([]), async (answer) => ({
      drawn: await drawGuided(answer, noise),
      before: await estimate(answer, noise),
    }));
    const after = await withDenoiser(await open([student]), (answer) => estimate(answer, noise));
    expect(length(subtract(after, drawn)) / length(subtract(before, drawn))).toBeLessThan(0.95);
  });
});

/** The network's answer to a prompt, or to the empty one. */
type Answer = (latents: Tensor, timestep: number, text?: 'prompt' | 'empty') => Promise<Tensor>;

async function withDenoiser<T>(model: Model, work: (answer: Answer) => Promise<T>): Promise<T> {
  const [empty, asked] = await model.conditioning(['', prompt], { width: 128, height: 128 });
  if (empty === undefined || asked === undefined) throw new TypeError('The model is silent.');
  const denoiser = model.createDenoiser(size);
  try {
    return await work((latents, timestep, text = 'prompt') =>
      predict(denoiser, latents, timestep, text === 'empty' ? empty : asked),
    );
  } finally {
    await denoiser.release();
  }
}

/** The clean latents that LCM's first step estimates. */
async function estimate(answer: Answer, noise: Tensor): Promise<Tensor> {
  const schedule = createSchedule(demo.scheduler, 4);
  if (!isLcm(schedule)) throw new TypeError('The schedule is not that of LCM.');
  const [first = 0] = schedule.timesteps;
  return denoiseLcm(noise, await answer(noise, first), first, schedule);
}

/** Steps of DDIM with the guidance that the student was made with. */
async function drawGuided(answer: Answer, noise: Tensor): Promise<Tensor> {
  const schedule = createSchedule({ ...demo.scheduler, solver: ddim }, 6);
  let latents = noise;
  for (const timestep of schedule.timesteps) {
    const guided = guide(await answer(latents, timestep, 'empty'), await answer(latents, timestep), 5);
    latents = stepDown(latents, guided, timestep, schedule);
  }
  return latents;
}

const length = ({ data }: Tensor) => Math.hypot(...data);
