// What propagation is for: the fast pipeline against the same edit frame by frame, where that flickers.

import { compareStability, stabilityTrials, type Stability } from '../demo-world/stability.ts';
import { atMost, mean, ratio } from '../rows.ts';
import type { BenchRow } from '../table.ts';
import type { Figure } from './figure.ts';

export const perFrame: Figure = {
  name: 'per-frame',
  async measure({ editor, samples, log }) {
    const rows: BenchRow[] = [];
    for (const { label, settings, target } of stabilityTrials) {
      const found: Stability[] = [];
      for (const sample of samples.filter(({ hard }) => hard)) {
        const here = await compareStability(editor, sample, null, settings);
        log(`${label}, ${sample.name}: ${here.tokenFlow.toFixed(4)} : ${here.perFrame.toFixed(4)}`);
        found.push(here);
      }
      const value = mean(found.map((one) => one.tokenFlow)) / mean(found.map((one) => one.perFrame));
      const figure = `warp error of the object, fast : per-frame editing, ${label}, ${found.length} hard clips`;
      rows.push(atMost(figure, value, target, ratio));
    }
    return rows;
  },
};
