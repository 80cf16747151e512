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
        if (settings.technique === undefined && sample.hard && !measured.slice(0, -1).some((one) => one.sample.hard)) {
          rows.push(...demoRows(sample, found));
        }
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

/** The demo's own clip is the first hard one. */
function demoRows({ name }: Sample, { tokenFlow, perFrame, flicker }: Stability): readonly BenchRow[] {
  const on = `TokenFlow : frame by frame, the demo's clip (${name})`;
  return [
    atMost(`warp error on the object, ${on}`, tokenFlow / perFrame, 0.6, ratio),
    atMost(`flicker, ${on}`, flicker.tokenFlow / flicker.perFrame, 0.6, ratio),
  ];
}
