// A whole checkpoint against diffusers' pipeline: prompts, what they become, and every step of a text-to-image run.

import path from 'node:path';
import { createSchedule } from '../../companion-server/src/diffusion/schedule.ts';
import { stepDdim } from '../../companion-server/src/diffusion/ddim.ts';
import { guide } from '../../companion-server/src/diffusion/guidance.ts';
import { createTokenizer } from '../../companion-server/src/diffusion/tokenizer.ts';
import { openModel, type Model } from '../../companion-server/src/engine/model/model.ts';
import { concatRows, sliceRows } from '../../companion-server/src/tensor/tensor.ts';
import { predict } from '../../companion-server/src/tokenflow/denoiser.ts';
import { readTokenizerFiles } from '../../companion-server/src/weights/tokenizer-files.ts';
import type { GoldenFile, GoldenRun } from './folder.ts';
import { networkLimit } from './networks.ts';
import type { GoldenReport } from './report.ts';

const limits = { text: 1e-4, steps: 1e-3 } as const;

/** The prompt and the negative prompt, if any, of each run. */
const runs = {
  prompted: (prompts: readonly string[]) => [prompts[0] ?? '', prompts[1] ?? ''] as const,
  unprompted: (prompts: readonly string[]) => [prompts[0] ?? '', ''] as const,
};

/** What the folder has no golden data of is not compared. */
export async function comparePipeline(
  dir: string,
  golden: GoldenFile,
  run: GoldenRun,
  report: GoldenReport,
): Promise<void> {
  const names = Object.keys(runs) as (keyof typeof runs)[];
  const wanted = names.filter((name) => golden.compares(`${name}.t`));
  if (!golden.compares('text.') && wanted.length === 0) return;
  const { execution, cacheDir, createSession } = run;
  const model = await openModel({ dir, execution, cacheDir, ...(createSession && { createSession }) });
  const prompts = JSON.parse(golden.text('prompts')) as readonly string[];
  if (golden.compares('text.')) {
    await compareIds(dir, prompts, golden, report);
    await compareConditioning(model, prompts, golden, report);
  }
  for (const name of wanted) await compareSteps(model, name, runs[name](prompts), golden, run, report);
}

async function compareIds(
  dir: string,
  prompts: readonly string[],
  golden: GoldenFile,
  report: GoldenReport,
): Promise<void> {
  for (const [i, folder] of ['tokenizer', 'tokenizer_2'].entries()) {
    const expected = await golden.integers(`text.ids.${i + 1}`);
    const tokenizer = createTokenizer(await readTokenizerFiles(path.join(dir, folder)));
    const ids = prompts.flatMap((prompt) => tokenizer.encode(prompt).ids);
    report.compare(`text.ids.${i + 1}`, ids, expected.data, 0);
  }
}

/** In pixels, of the pictures that the golden latents are of. */
async function pictureSize(model: Model, golden: GoldenFile) {
  const [, , height = 0, width = 0] = (await golden.read('denoise.in.latents')).dims;
  const { downscale } = model.vae.latents;
  return { height: height * downscale, width: width * downscale };
}

async function compareConditioning(
  model: Model,
  prompts: readonly string[],
  golden: GoldenFile,
  report: GoldenReport,
): Promise<void> {
  const told = await model.conditioning(prompts, await pictureSize(model, golden));
  const found = {
    tokens: concatRows(told.map(({ tokens }) => tokens)),
    pooled: concatRows(told.flatMap(({ pooled }) => pooled ?? [])),
    time_ids: told[0]?.timeIds,
  };
  for (const [part, actual] of Object.entries(found)) {
    const expected = await golden.read(`text.${part}`);
    report.compare(`text.${part}`, actual?.data ?? [], expected.data, limits.text);
  }
}

/** Free-running on the CPU; elsewhere every step starts from the golden latents before it. */
async function compareSteps(
  model: Model,
  name: keyof typeof runs,
  prompts: readonly [string, string],
  golden: GoldenFile,
  run: GoldenRun,
  report: GoldenReport,
): Promise<void> {
  const size = await pictureSize(model, golden);
  const [target, negative] = await model.conditioning(prompts, size);
  if (target === undefined || negative === undefined) throw new TypeError('A prompt has no conditioning.');
  const { downscale } = model.vae.latents;
  const denoiser = model.createDenoiser({ height: size.height / downscale, width: size.width / downscale });
  const schedule = createSchedule(model.scheduler, golden.number('steps'));
  const isFreeRunning = run.execution.provider === 'cpu';
  let latents = await golden.read('denoise.in.latents');
  for (const timestep of schedule.timesteps) {
    const away = await predict(denoiser, latents, timestep, negative);
    const towards = await predict(denoiser, latents, timestep, target);
    latents = stepDdim(latents, guide(away, towards, golden.number('guidance')), timestep, schedule);
    const expected = await golden.read(`${name}.t${timestep}`);
    const limit = isFreeRunning ? limits.steps : 10 * networkLimit(run);
    report.compare(`${name}.t${timestep}`, latents.data, expected.data, limit);
    if (!isFreeRunning) latents = sliceRows(expected, 0, expected.dims[0] ?? 0);
  }
  await denoiser.release();
}
