// Whether an imported result is read as it was written, at the rates and with the timecodes that editors have.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ImportedResult, WrittenFacts } from '../../plugin/src/host/edits.ts';
import { rateOfTimebase } from '../../plugin/src/host/ticks.ts';
import type { SimItemData } from './sim-document.ts';
import { openTestProject, pal, receiveResult, type TestProject } from './testing-flow.ts';

let project: TestProject;
beforeEach(async () => (project = await openTestProject()));
afterEach(() => project.close());

const frames = 5;

async function imported(timebase: bigint, timecode?: string) {
  const host = project.sim.open();
  const wish = { frames, timebase, firstNumber: 1, ...(timecode === undefined ? {} : { timecode }) };
  const result = await receiveResult(project, host, wish);
  const written: WrittenFacts = {
    frames,
    frameRate: rateOfTimebase(String(timebase)),
    timecodeFrames: null,
    hasAlpha: false,
  };
  return { host, result, written };
}

/** What a person sets in Interpret Footage. */
function interpret({ resultId }: ImportedResult, interpretation: SimItemData['interpretation']): void {
  const item = project.sim.core.item(resultId);
  if (interpretation !== undefined) item.interpretation = interpretation;
}

describe('an imported result', () => {
  test.each([
    ['23.976', 10_594_584_000n, '01:00:00:00', 86_400],
    ['25', pal, '01:00:00:00', 90_000],
    ['29.97 drop-frame', 8_475_667_200n, '01:00:00;00', 107_892],
    ['50', 5_080_320_000n, '01:00:00:00', 180_000],
    ['59.94 drop-frame', 4_237_833_600n, '01:00:00;00', 215_784],
  ])('of %s frames a second has rate, length and timecode', async (_, timebase, timecode, timecodeFrames) => {
    const { host, result, written } = await imported(timebase, timecode);
    expect(await host.timeline.checkImport(result, { ...written, timecodeFrames, hasAlpha: true })).toEqual([]);
    const [later] = await host.timeline.checkImport(result, { ...written, timecodeFrames: timecodeFrames + 1 });
    expect(later).toBe(`timecode, in frames: written ${timecodeFrames + 1}, read ${timecodeFrames}.0`);
  });

  test('without a timecode is not asked for one', async () => {
    const { host, result, written } = await imported(pal);
    expect(await host.timeline.checkImport(result, written)).toEqual([]);
  });

  test('that is interpreted otherwise is told of, each difference', async () => {
    const { host, result, written } = await imported(pal);
    interpret(result, { frameRate: 24, ignoresAlpha: true, invertsAlpha: true });
    expect(await host.timeline.checkImport(result, { ...written, frames: 6, hasAlpha: true })).toEqual([
      'frame rate: written 25.000, read 24.000',
      'frames: written 6, read 5.0',
      'alpha: written, and ignored',
      'alpha: written, and read inverted',
    ]);
    // Of a result without alpha, nobody looks at it.
    expect(await host.timeline.checkImport(result, written)).toEqual(['frame rate: written 25.000, read 24.000']);
  });

  test('that has left the project is missing', async () => {
    const { host, written } = await imported(pal);
    const checking = host.timeline.checkImport({ resultId: 'gone', path: null }, written);
    await expect(checking).rejects.toMatchObject({ code: 'file-missing' });
  });
});
