// What each approximation of the fast schedule saves, and what its edits are worth without it.

import { defaultSavings, noSavings, type FastSavings } from '../../companion-server/src/engine/fast-savings.ts';
import { mean, reported } from '../rows.ts';
import type { BenchRow } from '../table.ts';
import type { Figure, ScheduleContext } from './figure.ts';
import { describeLook, lookAt, meanLook, type Look } from './look.ts';
import { trialFrames, trialsOf } from './trials.ts';

const variants: Readonly<Record<string, FastSavings>> = {
  'no approximation': noSavings,
  'guidance propagated to frames': { ...noSavings, frameGuidance: 'propagated' },
  'guidance in the first 80 % of the steps': { ...noSavings, guidanceUntil: 0.8 },
  'both (default)': defaultSavings,
  'both, guidance in the first 30 %': { ...defaultSavings, guidanceUntil: 0.3 },
};

export const savings: Figure = {
  name: 'savings',
  async measure(context) {
    const rows: BenchRow[] = [];
    for (const [name, variant] of Object.entries(variants)) {
      rows.push(reported(`savings: ${name}`, await describe(context, variant)));
    }
    return rows;
  },
};

/** The first two targets of every clip. */
async function describe({ editor, judge, samples, log }: ScheduleContext, variant: FastSavings): Promise<string> {
  const looks: Look[] = [];
  const costs: number[] = [];
  for (const trial of trialsOf(samples).slice(0, 2 * samples.length)) {
    const { sample, target } = trial;
    const { file, report } = await editor.edit(sample, trialFrames, { prompt: target.prompt }, variant);
    looks.push(await lookAt(judge, trial, file));
    costs.push(report.unetEvaluations.sampling / report.frames);
  }
  const look = meanLook(looks);
  const value = `${mean(costs).toFixed(1)} evaluations per frame of sampling, ${describeLook(look)}, warp on the object ${look.objectWarpError.toFixed(4)}`;
  log(value);
  return value;
}
