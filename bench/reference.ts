// What the reference pipeline costs: 500 inversion and 50 sampling steps, three branches recomputed at every step.

import { benchClip, runEdit } from './engine-run.ts';
import type { Bench } from './table.ts';

const reference = {
  technique: 'pnp',
  propagation: 'reference',
  steps: 50,
  inversionSteps: 500,
  keyframeInterval: 8,
  guidance: 7.5,
} as const;

export const referenceBench: Bench = {
  name: 'reference',
  title: 'A whole edit in the reference pipeline, counted in UNet evaluations',
  async run({ isQuick, log }) {
    const [frames, edge] = isQuick ? [8, 64] : [40, 64];
    const size = { width: edge, height: edge };
    const report = await runEdit(await benchClip(frames, edge), { ...reference, size });
    const { inversion, sampling } = report.unetEvaluations;
    const keyframes = Math.ceil(frames / reference.keyframeInterval);
    const expected = reference.inversionSteps * frames + reference.steps * 3 * (frames + keyframes);
    log(`stages in seconds: ${JSON.stringify(report.stageSeconds)}`);
    return [
      {
        figure: `UNet evaluations, ${frames} frames`,
        value: `${inversion} inversion + ${sampling} sampling`,
        target: `= ${expected}`,
        isMet: inversion + sampling === expected,
      },
      {
        figure: 'UNet evaluations per frame',
        value: ((inversion + sampling) / frames).toFixed(0),
        target: '',
        isMet: true,
      },
      {
        figure: `seconds per frame, ${edge}x${edge} pixels, CPU`,
        value: (report.seconds / frames).toFixed(2),
        target: '',
        isMet: true,
      },
    ];
  },
};
