// npm run bench -- variants --variant '{"steps":10}' --variant '{"steps":25}' [--clips NAME,...]: what settings cost and
// what their edits are worth. Whoever proposes to spend less work shows it here.

import type { EditSettings } from '../../protocol/edit-settings.ts';
import { mean } from '../rows.ts';
import type { Bench, BenchRow } from '../table.ts';
import type { PipelineContext } from './figure.ts';
import { describeLook, lookAt, meanLook, type Look } from './clip-quality.ts';
import { withContext } from './context.ts';
import { trialFrames, trialsOf } from './trials.ts';

/** What is compared when nothing is asked for. */
const usual = ['{}', '{"steps":8}', '{"steps":25}', '{"pipeline": "reference","steps":12,"inversionSteps":24}'];

export const variantsBench: Bench = {
  name: 'variants',
  title: `Settings against each other: first ${trialFrames} frames of the sample clips, three prompts each`,
  isOnDemand: true,
  run: (options) =>
    withContext(options, async (context) => {
      const rows: BenchRow[] = [];
      for (const label of options.variants.length > 0 ? options.variants : usual) {
        // Settings that do not exist are refused by nobody here: what is typed is for whoever runs the bench to know.
        const change = JSON.parse(label) as Partial<EditSettings>;
        rows.push({
          figure: label,
          value: await describe(context, change),
          target: '',
          isMet: true,
        });
      }
      return rows;
    }),
};

async function describe(
  { editor, judge, samples, log }: PipelineContext,
  change: Partial<EditSettings>,
): Promise<string> {
  const looks: Look[] = [];
  const costs: { readonly inversion: number; readonly sampling: number; readonly psnr: number | null }[] = [];
  for (const trial of samples.flatMap((sample) => trialsOf([sample]))) {
    const { sample, target } = trial;
    const { file, report } = await editor.edit(sample, trialFrames, { ...change, prompt: target.prompt });
    const look = await lookAt(judge, trial, file);
    log(`${sample.name} -> ${target.prompt}: ${describeLook(look)}`);
    looks.push(look);
    const { inversion, sampling } = report.unetEvaluations;
    costs.push({
      inversion: inversion / report.frames,
      sampling: sampling / report.frames,
      psnr: report.reconstructionPsnr,
    });
  }
  // A clip's first edit inverts it, the others find that done.
  const inversions = costs.map(({ inversion }) => inversion).filter((count) => count > 0);
  const found = costs.map(({ psnr }) => psnr).filter((psnr) => psnr !== null);
  const cost = `${mean(inversions).toFixed(1)} + ${mean(costs.map(({ sampling }) => sampling)).toFixed(1)} evaluations per frame`;
  const gauge = found.length === 0 ? '' : `, reconstruction ${mean(found).toFixed(1)} dB`;
  return `${cost}${gauge}, ${describeLook(meanLook(looks))}`;
}
