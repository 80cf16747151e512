// Whether Premiere reads an imported result as the server has written it: a person, or a preset of the project, may have
// told it to take footage of this kind for something else. Size and colour space cannot be asked for here.

import type { WrittenFacts } from '../../edits.ts';
import { parseTicks, ticksPerSecond } from '../../ticks.ts';
import type { Surroundings } from '../api.ts';
import { findProjectItem } from './project-items.ts';
import { openProject } from './timeline-items.ts';

/** Premiere gives rates as decimal numbers. */
const rateTolerance = 0.001;

/** A sentence for each difference. Throws HostError `file-missing` for a result that is no item of the project. */
export async function checkImport(
  surroundings: Surroundings,
  resultId: string,
  { frames, frameRate, timecodeFrames, hasAlpha }: WrittenFacts,
): Promise<readonly string[]> {
  const { ppro } = surroundings;
  const project = await openProject(surroundings);
  const clip = ppro.ClipProjectItem.cast(await findProjectItem(surroundings, project, resultId));
  const interpretation = await clip.getFootageInterpretation();
  const media = await clip.getMedia();
  const { numerator, denominator } = frameRate;
  const ticksOf = (count: number): bigint => (BigInt(count) * ticksPerSecond * BigInt(denominator)) / BigInt(numerator);
  // Rates that are no whole number of ticks may be rounded either way.
  const isNear = (found: bigint, wanted: bigint): boolean => {
    const apart = found < wanted ? wanted - found : found - wanted;
    return 2n * apart < ticksOf(1);
  };
  const rate = interpretation.getFrameRate();
  const [start, duration] = [parseTicks(media.start.ticks), parseTicks(media.duration.ticks)];
  const inFrames = (ticks: bigint): string => (Number(ticks) / Number(ticksOf(1))).toFixed(1);
  const written = numerator / denominator;
  const checks: readonly (readonly [boolean, string])[] = [
    [Math.abs(rate - written) < rateTolerance, `frame rate: written ${written.toFixed(3)}, read ${rate.toFixed(3)}`],
    [isNear(duration, ticksOf(frames)), `frames: written ${frames}, read ${inFrames(duration)}`],
    [
      timecodeFrames === null || isNear(start, ticksOf(timecodeFrames)),
      `timecode, in frames: written ${timecodeFrames ?? 0}, read ${inFrames(start)}`,
    ],
    [!hasAlpha || !interpretation.getIgnoreAlpha(), 'alpha: written, and ignored'],
    [!hasAlpha || !interpretation.getInvertAlpha(), 'alpha: written, and read inverted'],
  ];
  return checks.filter(([isAlike]) => !isAlike).map(([, sentence]) => sentence);
}
