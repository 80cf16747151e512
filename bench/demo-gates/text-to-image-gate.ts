import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { stepDdim } from '../../companion-server/src/diffusion/ddim.ts';
import { guide } from '../../companion-server/src/diffusion/guidance.ts';
import { frameNoise } from '../../companion-server/src/diffusion/seeded-noise.ts';
import { createSchedule } from '../../companion-server/src/diffusion/schedule.ts';
import type { SampleContent, SampleTarget } from '../../companion-server/src/demo/samples.ts';
import type { Rgb24Frame } from '../../companion-server/src/media/frame.ts';
import { concatRows, type Tensor } from '../../companion-server/src/tensor/tensor.ts';
import { predict } from '../../companion-server/src/tokenflow/denoiser.ts';
import { atLeast, percent, share } from '../rows.ts';
import type { Gate, GateContext } from './gate.ts';
import { isPlaced } from '../demo-world/judge.ts';
import { decodeLatents } from '../demo-world/pictures.ts';

/** A picture from noise takes less than an edit, which is held by its source. */
const guidance = 3;

/** A quick run takes every third prompt, one seed, and fewer steps. */
const whole = { every: 1, seeds: [0, 1], steps: 25 } as const;
const quick = { every: 3, seeds: [0], steps: 10 } as const;

export const textToImageGate: Gate = {
  name: 'text-to-image',
  title: "Pictures of the judge's prompts with 2 seeds from noise, 25 steps, named by the judge",
  isQuick: true,
  async run(context) {
    const { isQuick, judge, log, sheets } = context;
    const { every, seeds, steps } = isQuick ? quick : whole;
    const all = await readPrompts(context.judgeDir);
    const targets = all.prompts.filter((_, i) => i % every === 0);
    const pictures = await paint(context, targets, seeds, steps);
    const verdicts = await judge.look(pictures);
    const looks = verdicts.map((verdict, i) => ({ verdict, target: targets[Math.floor(i / seeds.length)] }));
    for (const { verdict, target } of looks) {
      const wrong = target === undefined ? [] : faults(verdict, target);
      if (wrong.length > 0) log(`${target?.prompt ?? ''}: ${wrong.join(', ')}`);
    }
    if (!isQuick && sheets !== null) {
      const first = pictures.filter((_, i) => i % seeds.length === 0).slice(0, all.rows * all.columns);
      const names = (count: number, step: number, part: 'look' | 'place') =>
        Array.from({ length: count }, (_, i) => all.prompts[i * step]?.[part] ?? '');
      await sheets.grid('text-to-image', names(all.rows, all.columns, 'place'), names(all.columns, 1, 'look'), first);
    }
    const on = `, ${pictures.length} of ${all.prompts.length * whole.seeds.length} pictures, ${steps} steps`;
    return [
      atLeast(
        `place and style right${on}`,
        share(looks, ({ verdict, target }) => target !== undefined && isPlaced(verdict, target)),
        0.95,
        percent,
      ),
      atLeast(
        `look of the object right${on}`,
        share(looks, ({ verdict, target }) => verdict.judgedLook === target?.look),
        0.95,
        percent,
      ),
      atLeast(
        `object right${on}`,
        share(looks, ({ verdict, target }) => verdict.object === target?.object),
        0.95,
        percent,
      ),
    ];
  },
};

/** Prompts for everything that the judge can name. */
interface JudgePrompts {
  /** The first prompts are a table: a row per place, a column per look. */
  readonly rows: number;
  readonly columns: number;
  readonly prompts: readonly SampleTarget[];
}

/** Made by this project, beside the judge's weights: trusted like code. */
async function readPrompts(judgeDir: string): Promise<JudgePrompts> {
  return JSON.parse(await readFile(path.join(judgeDir, 'prompts.json'), 'utf8')) as JudgePrompts;
}

function faults(verdict: SampleContent & { judgedLook: string }, target: SampleTarget): readonly string[] {
  return [
    ...(isPlaced(verdict, target) ? [] : [`${verdict.place} ${verdict.style}`]),
    ...(verdict.judgedLook === target.look ? [] : [verdict.judgedLook]),
    ...(verdict.object === target.object ? [] : [verdict.object]),
  ];
}

/** For each target its pictures with all seeds, one after the other. */
async function paint(
  { model, judge, log }: GateContext,
  targets: readonly SampleTarget[],
  seeds: readonly number[],
  steps: number,
): Promise<readonly Rgb24Frame[]> {
  const side = judge.edge;
  const edge = side / model.vae.latents.downscale;
  const prompts = [...targets.map(({ prompt }) => prompt), ''];
  const conditioning = await model.conditioning(prompts, { width: side, height: side });
  const empty = conditioning.at(-1);
  if (empty === undefined) throw new TypeError('The model is silent.');
  const painted: Tensor[] = [];
  const denoiser = model.createDenoiser({ width: edge, height: edge });
  const schedule = createSchedule(model.scheduler, steps);
  try {
    for (const [row, wanted] of conditioning.slice(0, -1).entries()) {
      const dims = [model.unet.latentChannels, edge, edge];
      let latents = concatRows(seeds.map((seed) => frameNoise(seed, [row], dims)));
      for (const timestep of schedule.timesteps) {
        const negative = await predict(denoiser, latents, timestep, empty);
        const target = await predict(denoiser, latents, timestep, wanted);
        latents = stepDdim(latents, guide(negative, target, guidance), timestep, schedule);
      }
      painted.push(latents);
      if (painted.length % 10 === 0) log(`painted ${painted.length} of ${targets.length} prompts`);
    }
  } finally {
    await denoiser.release();
  }
  return decodeLatents(model, concatRows(painted));
}
