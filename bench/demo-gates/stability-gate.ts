import type { Sample } from '../../companion-server/src/demo/samples.ts';
import { compareStability, stabilityTrials, type Stability } from '../demo-world/stability.ts';
import { atMost, mean, ratio, reported } from '../rows.ts';
import type { BenchRow } from '../table.ts';
import type { Gate } from './gate.ts';

export const stabilityGate: Gate = {
  name: 'stability',
  title:
    'Warp error of the edited object along the exact flow, TokenFlow : per-frame editing, first target of each clip. The gate is on the hard clips (grain, flicker of light, fast motion, occlusion); on clean, slow clips frames edited one by one are nearly as steady, and no gain is claimed there',
  isQuick: false,
  async run({ editor, samples, editedFrames, log }) {
    const rows: BenchRow[] = [];
    for (const { label, settings, target } of stabilityTrials) {
      const measured: (Stability & { readonly sample: Sample })[] = [];
      for (const sample of samples) {
        const found = await compareStability(editor, sample, editedFrames, settings);
        measured.push({ sample, ...found });
        log(
          `${label}, ${sample.name}${sample.hard ? '' : ' (clean)'}: ${found.tokenFlow.toFixed(4)} : ${found.perFrame.toFixed(4)} = ${ratio(found.tokenFlow / found.perFrame)}`,
        );
      }
      for (const isHard of [true, false]) {
        const clips = measured.filter((one) => one.sample.hard === isHard);
        if (clips.length === 0) continue;
        const value = mean(clips.map((one) => one.tokenFlow)) / mean(clips.map((one) => one.perFrame));
        const names = clips.map((one) => one.sample.name).join(', ');
        const figure = `${label}, ${isHard ? 'hard' : 'clean'} clips (${names})`;
        rows.push(isHard ? atMost(figure, value, target, ratio) : reported(figure, ratio(value)));
      }
    }
    return rows;
  },
};
