import { sampleMotions, type Sample } from '../../companion-server/src/demo/samples.ts';
import { decodeFrames } from '../../companion-server/src/media/frames.ts';
import { probeClip } from '../../companion-server/src/media/probe.ts';
import { measureTemporal, type SourceMotion } from '../../companion-server/src/metrics/temporal.ts';
import type { EditSettings, Propagation } from '../../protocol/edit-settings.ts';
import type { BenchRow } from '../table.ts';
import { atMost, mean, ratio, reported } from '../rows.ts';
import type { Gate, GateContext } from './gate.ts';

const techniques: readonly {
  readonly label: string;
  readonly settings: Partial<EditSettings>;
  readonly target: number;
}[] = [
  {
    label: 'SDEdit, own noise per frame',
    settings: { technique: 'sdedit', noise: 'own' },
    target: 0.8,
  },
  { label: 'Plug-and-Play', settings: {}, target: 0.95 },
];

export const stabilityGate: Gate = {
  name: 'stability',
  title:
    'Warp error of the edited object along the exact flow, TokenFlow : per-frame editing, first target of each clip. The gate is on the hard clips (grain, flicker of light, fast motion, occlusion); on clean, slow clips frames edited one by one are nearly as steady, and no gain is claimed there',
  isQuick: false,
  async run(context) {
    const rows: BenchRow[] = [];
    for (const technique of techniques) {
      const measured: { sample: Sample; tokenFlow: number; perFrame: number }[] = [];
      for (const sample of context.samples) {
        const motions = await sampleMotions(sample);
        const errorOf = (propagation: Propagation) =>
          objectWarpError(context, sample, motions, { ...technique.settings, propagation });
        const tokenFlow = await errorOf('paper');
        const perFrame = await errorOf('per-frame');
        measured.push({ sample, tokenFlow, perFrame });
        context.log(`${technique.label}, ${sample.name}${sample.hard ? '' : ' (clean)'}: ${tokenFlow.toFixed(4)} : ${perFrame.toFixed(4)} = ${ratio(tokenFlow / perFrame)}`); // prettier-ignore
      }
      for (const isHard of [true, false]) {
        const clips = measured.filter((one) => one.sample.hard === isHard);
        if (clips.length === 0) continue;
        const value = mean(clips.map((one) => one.tokenFlow)) / mean(clips.map((one) => one.perFrame)); // prettier-ignore
        const names = clips.map((one) => one.sample.name).join(', ');
        const figure = `${technique.label}, ${isHard ? 'hard' : 'clean'} clips (${names})`;
        rows.push(isHard ? atMost(figure, value, technique.target, ratio) : reported(figure, ratio(value))); // prettier-ignore
      }
    }
    return rows;
  },
};

async function objectWarpError(
  { editor, editedFrames }: GateContext,
  sample: Sample,
  motions: readonly SourceMotion[],
  settings: Partial<EditSettings>,
): Promise<number> {
  const prompt = sample.targets[0]?.prompt ?? sample.caption;
  const { file } = await editor.edit(sample, editedFrames, { ...settings, prompt });
  const frames = decodeFrames(await probeClip(file));
  return (await measureTemporal(frames, motions)).objectWarpError;
}
