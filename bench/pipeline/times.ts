// Wall times of whole edits, from the request to the finished file. The contestants take turns in one engine process;
// each edit is done from nothing but what the row's name says.

import type { BenchRow } from '../table.ts';
import { interleave, median } from '../interleave.ts';
import { atMost, ratio } from '../rows.ts';
import type { Figure, PipelineContext } from './figure.ts';
import { longEditFrames, runLongEdit, type LongEdit } from './long-edit.ts';

/** Pixels. */
const smallEdge = 64;
/** Frames of the edits that only load what the timed ones need. */
const warmUpFrames = 8;

export const timeTargets = { wall: 0.1, secondPrompt: 0.35, preview: 0.15 } as const;

export const wall: Figure = {
  name: 'wall',
  measure: (context) =>
    compare(context, 'whole edit, fast : reference', timeTargets.wall, [
      cold(context, { pipeline: 'reference' }),
      cold(context, { pipeline: 'fast' }),
    ]),
};

/** The same where a forward is cheap, so that what an edit takes to begin weighs more. */
export const wallSmall: Figure = {
  name: 'wall-64',
  measure: (context) =>
    compare(context, 'whole edit at 64x64, fast : reference', timeTargets.wall, [
      cold(context, { pipeline: 'reference', workingEdge: smallEdge }),
      cold(context, { pipeline: 'fast', workingEdge: smallEdge }),
    ]),
};

export const secondPrompt: Figure = {
  name: 'second-prompt',
  async measure(context) {
    let inversionsDir = await context.editor.newInversionsDir();
    const first: Contestant = async (frames) => {
      inversionsDir = await context.editor.newInversionsDir();
      return timeOf(context, { pipeline: 'fast', inversionsDir }, frames);
    };
    const second: Contestant = (frames) =>
      timeOf(context, { pipeline: 'fast', prompt: 'second', inversionsDir }, frames);
    return compare(context, 'second prompt : first prompt', timeTargets.secondPrompt, [first, second]);
  },
};

export const preview: Figure = {
  name: 'preview',
  measure: (context) =>
    compare(context, 'keyframe preview : whole edit', timeTargets.preview, [
      cold(context, { pipeline: 'fast' }),
      cold(context, { pipeline: 'fast', isPreview: true }),
    ]),
};

/** Seconds of an edit of so many frames, by default all. */
type Contestant = (frames?: number) => Promise<number>;

/** The median over the rounds of the second contestant's time over the first's. */
async function compare(
  { rounds, log }: PipelineContext,
  what: string,
  target: number,
  contestants: readonly [Contestant, Contestant],
): Promise<readonly BenchRow[]> {
  const { seconds } = await interleave(
    contestants.map((run) => () => run()),
    rounds,
    contestants.map((run) => () => run(warmUpFrames)),
  );
  const [whole = [], part = []] = seconds;
  const ratios = part.map((value, i) => value / (whole[i] ?? NaN));
  log(`${what}, round by round: ${ratios.map(ratio).join(', ')}`);
  const figure = `wall time, ${what}, ${longEditFrames} frames, median of ${rounds}`;
  log(`${figure}: ${median(part).toFixed(1)} s : ${median(whole).toFixed(1)} s`);
  return [atMost(figure, median(ratios), target, ratio)];
}

/** An edit of a clip that was never seen before; what it finds out is kept, as in the product. */
function cold(context: PipelineContext, edit: Omit<LongEdit, 'inversionsDir'>): Contestant {
  return async (frames) => {
    const inversionsDir = await context.editor.newInversionsDir();
    return timeOf(context, { ...edit, inversionsDir }, frames);
  };
}

async function timeOf(context: PipelineContext, edit: LongEdit, frames = longEditFrames): Promise<number> {
  return (await runLongEdit(context, { ...edit, frames })).seconds;
}
