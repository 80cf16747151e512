// What can be selected in Premiere: what is edited, with which warnings, and what is not, with which reason.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RejectionReason, ClipWarning } from '../../plugin/src/host/selection.ts';
import type { SimClip, SimItemData } from './sim-document.ts';
import {
  layTimeline,
  openTestProject,
  pal,
  selectedClip,
  type TestProject,
  type TestTimeline,
} from './testing-flow.ts';

let project: TestProject;
let timeline: TestTimeline;

beforeEach(async () => {
  project = await openTestProject();
  timeline = await layTimeline(project, pal, 4, 6, 2);
});
afterEach(() => project.close());

const item = (): SimItemData => project.sim.core.item(timeline.itemId);

describe('a selected clip is refused', () => {
  const refusals: readonly [RejectionReason, (clip: SimClip) => void][] = [
    ['adjustment-layer', (clip) => void (clip.kind = 'adjustment')],
    ['no-project-item', (clip) => void (clip.itemId = null)],
    ['offline', () => void (item().isOffline = true)],
    ['off-frame', (clip) => void (clip.end -= 1n)],
    ['too-short', (clip) => void (clip.end = clip.start + pal)],
    [
      'no-media',
      (clip) => {
        const { core } = project.sim;
        const title = { name: 'Title', kind: 'title', parentId: core.rootId, path: '' } as const;
        clip.itemId = core.addItem({ ...title, isOffline: false, media: null });
      },
    ],
    [
      'no-free-track',
      (clip) => {
        const { sequence, itemId } = timeline;
        const startFrame = Number(clip.start / pal) + 5;
        for (const track of [1, 2]) {
          project.sim.addClip(sequence, { track, itemId, startFrame, frames: 9 });
        }
      },
    ],
  ];

  test.each(refusals)('as %s', async (reason, change) => {
    change(timeline.clip);
    const reading = await project.sim.open().selection.read();
    expect(reading).toMatchObject({
      clips: [],
      rejected: [{ name: 'clip 0', reason }],
      empty: null,
    });
  });

  test('as sound alone, but not because its sound is selected with it', async () => {
    const { sim } = project;
    const { sequence, clip } = timeline;
    const sound = sequence.audio[0]?.clips[0];
    if (sound === undefined) throw new Error('The timeline has no sound.');
    sim.select(sequence, sound);
    const host = sim.open();
    expect((await host.selection.read()).rejected).toEqual([{ name: '', reason: 'audio-only' }]);
    sim.select(sequence, clip, sound);
    expect((await host.selection.read()).rejected).toEqual([]);
  });
});

describe('a selected clip is edited with a warning', () => {
  const warnings: readonly [ClipWarning, (clip: SimClip) => void][] = [
    ['speed', (clip) => void (clip.speed = 0.5)],
    ['reversed', (clip) => void (clip.isReversed = true)],
    ['multicam', () => void (item().isMulticam = true)],
    ['merged', () => void (item().isMerged = true)],
    [
      'nested',
      (clip) => {
        const { core } = project.sim;
        const inner = { name: 'Inner', kind: 'sequence', parentId: core.rootId, path: '' } as const;
        clip.itemId = core.addItem({ ...inner, isOffline: false, media: null });
      },
    ],
  ];

  test.each(warnings)('and only as it looks on the timeline: %s', async (warning, change) => {
    change(timeline.clip);
    const clip = await selectedClip(project.sim.open());
    expect(clip).toMatchObject({ warnings: [warning], modes: ['rendered'] });
  });

  test('where a proxy stands in for it, or it is switched off', async () => {
    item().hasProxy = true;
    timeline.clip.isDisabled = true;
    const clip = await selectedClip(project.sim.open());
    expect(clip).toMatchObject({ warnings: ['proxy', 'disabled'], modes: ['rendered', 'source'] });
  });

  test('where its film has another rate than the sequence', async () => {
    const { sim } = project;
    const other = sim.addSequence(8_475_667_200n);
    const { itemId } = timeline;
    const clip = sim.addClip(other, { track: 0, itemId, startFrame: 0, frames: 4 });
    sim.select(other, clip);
    expect(await selectedClip(sim.open())).toMatchObject({ warnings: ['rate-differs'] });
  });
});

describe('a selection', () => {
  test('of several clips is several clips, from left to right', async () => {
    const { sim } = project;
    const { sequence, clip, itemId } = timeline;
    const early = sim.addClip(sequence, { track: 1, itemId, startFrame: 0, frames: 3 });
    sim.select(sequence, clip, early);
    const { clips } = await sim.open().selection.read();
    expect(clips.map(({ frames, freeTrackIndex }) => [frames, freeTrackIndex])).toEqual([
      [3, 2],
      [6, 1],
    ]);
  });

  test('of nothing, no sequence and no project say which it is', async () => {
    const { sim } = project;
    const host = sim.open();
    sim.select(timeline.sequence);
    expect(await host.selection.read()).toMatchObject({ empty: 'nothing-selected' });
    sim.core.activeSequenceGuid = null;
    expect(await host.selection.read()).toMatchObject({ empty: 'no-sequence', sequence: null });
    sim.core.isProjectOpen = false;
    expect(await host.selection.read()).toMatchObject({ empty: 'no-project', project: null });
  });

  test('is plain text: it can be kept as JSON and is the same', async () => {
    const clip = await selectedClip(project.sim.open());
    expect(JSON.parse(JSON.stringify(clip))).toEqual(clip);
  });

  test('that changes many times is told once, until nobody listens', async () => {
    const { sim, uxp } = { sim: project.sim, uxp: project.sim.uxp };
    const { SequenceEvent } = uxp.surroundings.ppro.Constants;
    const host = sim.open();
    const before = sim.core.listenerCount;
    let calls = 0;
    const stop = host.selection.subscribe(() => {
      calls += 1;
    });
    for (let count = 0; count < 20; count += 1) sim.core.fire(SequenceEvent.SELECTION_CHANGED, {});
    await sim.core.clock.wait(1_000);
    expect(calls).toBe(1);
    sim.core.fire(SequenceEvent.ACTIVATED);
    stop();
    await sim.core.clock.wait(1_000);
    expect(calls).toBe(1);
    expect(sim.core.listenerCount).toBe(before);
  });
});
