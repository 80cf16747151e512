// What the fast pipeline costs and what its edits are worth, against the official one and against itself.

import type { Bench, BenchRow } from '../table.ts';
import { draft } from './draft.ts';
import { evaluations } from './evaluations.ts';
import { fewSteps } from './few-steps.ts';
import type { Figure } from './figure.ts';
import { inversions } from './inversions.ts';
import { length } from './length.ts';
import { withContext } from './context.ts';
import { noisedSource } from './noised-source.ts';
import { panelPrompts } from './panel-prompts.ts';
import { perFrame } from './per-frame.ts';
import { quality } from './quality.ts';
import { measureQuickly } from './quick.ts';
import { approximations } from './approximations.ts';
import { seam } from './window-borders.ts';
import { timeLeft } from './time-left.ts';
import { preview, secondPrompt, wall, wallSmall } from './times.ts';

const figures: readonly Figure[] = [
  evaluations,
  wall,
  wallSmall,
  secondPrompt,
  panelPrompts,
  preview,
  quality,
  draft,
  noisedSource,
  fewSteps,
  perFrame,
  length,
  seam,
  inversions,
  approximations,
  timeLeft,
];

export const pipelineBench: Bench = {
  name: 'pipeline',
  title: 'The fast pipeline against the reference pipeline, with the embedded model',
  parts: figures.map(({ name }) => name),
  run: (options) =>
    withContext(options, async (context) => {
      const [sample] = context.samples;
      if (options.isQuick && sample !== undefined) return measureQuickly(context, sample);
      const rows: BenchRow[] = [];
      for (const figure of figures) {
        if (options.only?.includes(figure.name) === false) continue;
        options.log(`${figure.name}:`);
        rows.push(...(await figure.measure(context)));
      }
      return rows;
    }),
};
