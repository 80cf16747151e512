// What each approximation of the fast pipeline saves, and what its edits are worth without it.

import {
  usualApproximations,
  noApproximations,
  type Approximations,
} from '../../companion-server/src/engine/plan/approximations.ts';
import { mean, reported } from '../rows.ts';
import type { BenchRow } from '../table.ts';
import type { Figure, PipelineContext } from './figure.ts';
import { describeLook, lookAt, meanLook, type Look } from './clip-quality.ts';
import { trialFrames, trialsOf } from './trials.ts';

const variants: Readonly<Record<string, Approximations>> = {
  'no approximation': noApproximations,
  'guidance propagated to frames': { ...noApproximations, frameGuidance: 'propagated' },
  'guidance in the first 80 % of the steps': { ...noApproximations, guidanceUntil: 0.8 },
  'both (default)': usualApproximations,
  'both, guidance in the first 30 %': { ...usualApproximations, guidanceUntil: 0.3 },
};

export const approximations: Figure = {
  name: 'approximations',
  async measure(context) {
    const rows: BenchRow[] = [];
    for (const [name, variant] of Object.entries(variants)) {
      rows.push(reported(`approximations: ${name}`, await describe(context, variant)));
    }
    return rows;
  },
};

/** The first two targets of every clip. */
async function describe({ editor, judge, samples, log }: PipelineContext, variant: Approximations): Promise<string> {
  const looks: Look[] = [];
  const costs: number[] = [];
  for (const trial of trialsOf(samples).slice(0, 2 * samples.length)) {
    const { sample, target } = trial;
    const { file, report } = await editor.edit(
      sample,
      trialFrames,
      { prompt: target.prompt },
      { approximations: variant },
    );
    looks.push(await lookAt(judge, trial, file));
    costs.push(report.unetEvaluations.sampling / report.frames);
  }
  const look = meanLook(looks);
  const value = `${mean(costs).toFixed(1)} evaluations per frame of sampling, ${describeLook(look)}, warp on the object ${look.objectWarpError.toFixed(4)}`;
  log(value);
  return value;
}
