// The golden comparisons on the device, in the precision of edits and in single precision: the largest error of each
// part, and how many frames a flipped correspondence has changed.

import path from 'node:path';
import { compareFolder } from '../../test/golden/compare.ts';
import { GoldenReport, type GoldenEntry } from '../../test/golden/report.ts';
import { rowOf, type Section, type SectionContext } from './section.ts';

const fixtures = path.join(import.meta.dirname, '..', '..', 'test', 'fixtures', 'golden');
/** Of a folder; the slow software adapter of a rehearsal needs longer. */
const secondsPerFolder = 10;

export const goldenSection: Section = {
  name: 'golden',
  leastSeconds: 15,
  mostSeconds: 120,
  async measure(context) {
    const { execution, isQuick } = context;
    const floats = execution.float === 'float32' ? ['float32' as const] : ['float16' as const, 'float32' as const];
    for (const folder of isQuick ? ['clip'] : ['clip', 'sd1', 'sd2']) {
      for (const float of floats) {
        if (!context.hasTime(secondsPerFolder)) return;
        await compare(context, folder, { ...execution, float });
      }
    }
  },
};

async function compare(context: SectionContext, folder: string, execution: SectionContext['execution']): Promise<void> {
  const report = new GoldenReport((line) => context.log(line));
  const run = { execution, cacheDir: context.workDir };
  const failure = await compareFolder(path.join(fixtures, folder), run, report).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const parts = byPart(report.entries);
  for (const [part, entries] of parts) {
    const errors = entries.flatMap(({ error }) => (error === null ? [] : [error]));
    const stray = entries.reduce((sum, { strayFrames }) => sum + (strayFrames ?? 0), 0);
    const right = entries.filter(({ isRight }) => isRight).length;
    const error = Math.max(0, ...errors);
    const flips = entries.some(({ strayFrames }) => strayFrames !== null) ? `, ${stray} frames with a flip` : '';
    context.report(
      rowOf(
        `golden ${folder}, ${part}, ${execution.float}`,
        `${right} of ${entries.length} within limits, largest error ${error.toExponential(1)}${flips}`,
      ),
      {
        folder,
        part,
        float: execution.float,
        right,
        count: entries.length,
        error,
        strayFrames: stray,
      },
    );
  }
  if (failure !== null) {
    context.report(rowOf(`golden ${folder}, ${execution.float}`, `ended: ${failure}`), {
      folder,
      failure,
    });
  }
}

/** `unet.out.t501` belongs to `unet`, `pnp.t981` to `pnp`. */
function byPart(entries: readonly GoldenEntry[]): ReadonlyMap<string, readonly GoldenEntry[]> {
  const parts = new Map<string, GoldenEntry[]>();
  for (const entry of entries) {
    const part = entry.name.split('.')[0] ?? entry.name;
    parts.set(part, [...(parts.get(part) ?? []), entry]);
  }
  return parts;
}
