// A sample of the pipeline bench that ends within a minute: one short, small clip, one edit of each kind.

import type { Sample } from '../../companion-server/src/demo/samples.ts';
import { referencePipeline } from '../../protocol/edit-settings.ts';
import { settingsFor, type Change, type EditedClip } from '../demo-world/editor.ts';
import { ratio } from '../rows.ts';
import type { BenchRow } from '../table.ts';
import { evaluationsRow } from './evaluations.ts';
import type { PipelineContext } from './figure.ts';
import { lookAt } from './clip-quality.ts';
import { qualityRows } from './quality.ts';
import { timeTargets } from './times.ts';

const frames = 6;
const size = { width: 64, height: 64 };

export async function measureQuickly(context: PipelineContext, sample: Sample): Promise<readonly BenchRow[]> {
  const { editor, judge } = context;
  const [target, other = target] = sample.targets;
  if (target === undefined || other === undefined) return [];
  const inversionsDir = await editor.newInversionsDir();
  const edit = (change: Change, dir: string, count = frames): Promise<EditedClip> =>
    editor.editAnew(sample.clipPath, settingsFor(sample, count, { ...change, size }), dir);
  const { prompt } = target;

  await edit({ prompt }, await editor.newInversionsDir(), 1);
  const reference = await edit({ ...referencePipeline, prompt }, await editor.newInversionsDir());
  const fast = await edit({ prompt }, inversionsDir);
  const second = await edit({ prompt: other.prompt }, inversionsDir);
  const preview = await edit({ prompt, preview: true }, await editor.newInversionsDir());

  const trial = { sample, target };
  const [ours, theirs] = [await lookAt(judge, trial, fast.file), await lookAt(judge, trial, reference.file)];
  // What an edit takes to begin is most of so short a one: it is not judged by the targets of the whole form.
  const wall = (what: string, value: number, target: number): BenchRow => ({
    figure: `wall time, ${what}, ${frames} frames of ${size.width}x${size.height}`,
    value: ratio(value),
    target: `<= ${ratio(target)} for 40 frames of 128x128`,
    isMet: true,
  });
  return [
    evaluationsRow(fast.report, reference.report),
    wall('fast : reference', fast.seconds / reference.seconds, timeTargets.wall),
    wall('second prompt : first', second.seconds / fast.seconds, timeTargets.secondPrompt),
    wall('preview : whole edit', preview.seconds / fast.seconds, timeTargets.preview),
    ...qualityRows(ours, theirs, 'one edit'),
  ];
}
