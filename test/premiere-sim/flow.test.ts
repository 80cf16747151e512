// The way of a clip through the panel's Premiere side, against the simulated Premiere: select, export, import, place,
// compare, version, revert, undo. Films are really cut, and their frames are counted and read.

import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { rateOfTimebase } from '../../plugin/src/host/ticks.ts';
import { readFrameNumbers } from './numbered-film.ts';
import type { PremiereSim } from './premiere-sim.ts';
import { describeSequence } from './sim-document.ts';
import {
  layTimeline,
  openTestProject,
  pal,
  placeRequest,
  receiveResult,
  recipe,
  saveExport,
  selectedClip,
  type TestProject,
} from './testing-flow.ts';

let project: TestProject;
let sim: PremiereSim;
let folder: string;

beforeEach(async () => {
  project = await openTestProject();
  ({ sim, folder } = project);
});
afterEach(() => project.close());

const numbersFrom = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => first + index);

describe('N frames in, N frames out', () => {
  test.each([
    ['23.976', 10_594_584_000n, 0, 9, 3],
    ['25', pal, 7, 6, 0],
    ['29.97', 8_475_667_200n, 1_000_003, 7, 11],
    ['50', 5_080_320_000n, 123_457, 8, 1],
    ['59.94', 4_237_833_600n, 5_000_011, 10, 2],
  ])('at %s frames per second, wherever the clip starts', async (_name, timebase, startFrame, frames, inFrame) => {
    const { sequence, clip } = await layTimeline(project, timebase, startFrame, frames, inFrame);
    const host = sim.open();
    const selected = await selectedClip(host);
    expect(selected).toMatchObject({ frames, frameRate: rateOfTimebase(String(timebase)) });

    const exported = await host.clips.export(selected.snapshot, { mode: 'rendered' });
    const file = path.join(folder, 'sent.mov');
    await saveExport(exported, file);
    expect(exported.frames).toBe(frames);
    expect(await readFrameNumbers(file)).toEqual(numbersFrom(inFrame, frames));
    expect((await sim.core.machine.probe(file)).ticksPerFrame).toBe(timebase);

    const result = await receiveResult(project, host, { frames, timebase, firstNumber: 500 });
    const edit = await host.timeline.place(placeRequest(selected, result));
    expect(edit).toMatchObject({ placed: 1, place: { trackIndex: 1 } });
    const placed = sim.core.sequence(sequence.guid).video[1]?.clips ?? [];
    expect(placed).toMatchObject([{ start: clip.start, end: clip.end, inPoint: 0n }]);
    const placedPath = sim.core.item(placed[0]?.itemId ?? '').path;
    expect(path.dirname(placedPath)).toBe(path.join(folder, 'TokenFlow'));
    expect(await readFrameNumbers(placedPath)).toEqual(numbersFrom(500, frames));
  });
});

describe('an export', () => {
  test('shows the clip with its effects and nothing else of the timeline', async () => {
    const { sequence, clip, itemId } = await layTimeline(project, pal, 4, 6, 2);
    clip.effect = 'negate';
    sim.addClip(sequence, { track: 1, itemId, startFrame: 0, frames: 7 });
    sim.addClip(sequence, { track: 2, itemId, startFrame: 9, frames: 7, changes: { kind: 'adjustment' } });
    sim.addSequence(pal);
    sim.core.activeSequenceGuid = sequence.guid;
    // One more track, else nothing is free.
    sim.core.sequence(sequence.guid).video.push({ clips: [] });
    const host = sim.open();
    const selected = await selectedClip(host);
    const exported = await host.clips.export(selected.snapshot, { mode: 'rendered' });
    const file = path.join(folder, 'sent.mov');
    await saveExport(exported, file);
    expect(await readFrameNumbers(file)).toEqual(numbersFrom(2, 6).map((number) => -1 - number));
  });

  test('leaves project, sequence and disk as they were', async () => {
    const { sequence } = await layTimeline(project, pal, 4, 6, 2);
    const before = describeSequence(sim.core.sequence(sequence.guid));
    const items = sim.core.document.items.length;
    const host = sim.open();
    const listeners = sim.core.listenerCount;
    const exported = await host.clips.export((await selectedClip(host)).snapshot, { mode: 'rendered' });
    await exported.dispose();
    expect(describeSequence(sim.core.sequence(sequence.guid))).toBe(before);
    expect(sim.core.document).toMatchObject({ sequences: [{ guid: sequence.guid }] });
    expect(sim.core.document.items).toHaveLength(items);
    expect(sim.core.listenerCount).toBe(listeners);
    expect(await readdir(path.join(folder, 'plugin-data', 'exports'))).toEqual([]);
  });

  test('of the source sends the media file and says where the clip lies in it', async () => {
    const { film } = await layTimeline(project, 8_475_667_200n, 1_000_003, 7, 11);
    const host = sim.open();
    const selected = await selectedClip(host);
    expect(selected.modes).toEqual(['rendered', 'source']);
    const undoSteps = sim.core.undoStack.length;
    const exported = await host.clips.export(selected.snapshot, { mode: 'source' });
    const file = path.join(folder, 'sent.mp4');
    await saveExport(exported, file);
    expect(await readFrameNumbers(file)).toEqual(await readFrameNumbers(film));
    const rate = 30_000 / 1_001;
    expect((exported.range?.startSeconds ?? 0) * rate).toBeCloseTo(11, 9);
    expect((exported.range?.endSeconds ?? 0) * rate).toBeCloseTo(18, 9);
    expect(sim.core.undoStack).toHaveLength(undoSteps);
    expect(await readdir(folder)).toContain('film.mp4');
  });
});

describe('a placed edit', () => {
  test('is one step of undo, and undo gives back the timeline as it was', async () => {
    const { sequence } = await layTimeline(project, pal, 4, 6, 2);
    const before = describeSequence(sim.core.sequence(sequence.guid));
    const host = sim.open();
    const selected = await selectedClip(host);
    const result = await receiveResult(project, host, {
      frames: 6,
      timebase: pal,
      firstNumber: 100,
    });
    const steps = sim.core.undoStack.length;
    await host.timeline.place(placeRequest(selected, result));
    expect(sim.core.undoStack.slice(steps).map(({ name }) => name)).toEqual(['Place TokenFlow edit']);
    sim.core.undo();
    expect(describeSequence(sim.core.sequence(sequence.guid))).toBe(before);
    // The version is not lost: it can be brought back.
    const [edit] = await host.timeline.edits();
    expect(edit).toMatchObject({ placed: null, versions: [{ version: 1 }] });
    expect(await host.timeline.showVersion(edit?.editId ?? '', 1)).toMatchObject({ placed: 1 });
  });

  test('can be hidden, shown, versioned, reverted and forgotten; undo of all gives back the start', async () => {
    const { sequence, clip } = await layTimeline(project, pal, 4, 6, 2);
    const start = describeSequence(sim.core.sequence(sequence.guid));
    const host = sim.open();
    const selected = await selectedClip(host);
    const first = await receiveResult(project, host, {
      frames: 6,
      timebase: pal,
      firstNumber: 100,
    });
    const { editId } = await host.timeline.place(placeRequest(selected, first));
    const placedClips = () => sim.core.sequence(sequence.guid).video[1]?.clips ?? [];

    await host.timeline.setShown(editId, false);
    expect(placedClips()).toMatchObject([{ isDisabled: true }]);
    expect(await host.timeline.isShown(editId)).toBe(false);
    await host.timeline.setShown(editId, true);
    expect(await host.timeline.isShown(editId)).toBe(true);

    const second = await receiveResult(project, host, { frames: 6, timebase: pal, firstNumber: 200, jobId: 'job2' });
    const again = placeRequest(selected, second, { editId, recipe: recipe('job2') });
    expect(await host.timeline.place(again)).toMatchObject({ placed: 2, editId });
    expect(placedClips()).toMatchObject([{ itemId: second.resultId, start: clip.start, end: clip.end }]);
    expect(await host.timeline.showVersion(editId, 1)).toMatchObject({ placed: 1 });
    expect(placedClips()).toMatchObject([{ itemId: first.resultId }]);

    expect(await host.timeline.revert(editId)).toMatchObject({ placed: null });
    expect(placedClips()).toEqual([]);
    expect([...(sim.core.selected.get(sequence.guid) ?? [])]).toEqual([clip.id]);

    while (sim.core.undo() !== undefined) continue;
    expect(describeSequence(sim.core.sequence(sequence.guid))).toBe(start);
  });

  test('says what made it when it is selected', async () => {
    const { sequence } = await layTimeline(project, pal, 4, 6, 2);
    sim.core.sequence(sequence.guid).video = sim.core.sequence(sequence.guid).video.slice(0, 2);
    const host = sim.open();
    const result = await receiveResult(project, host, {
      frames: 6,
      timebase: pal,
      firstNumber: 100,
    });
    const { editId } = await host.timeline.place(placeRequest(await selectedClip(host), result));
    const [placed] = sim.core.sequence(sequence.guid).video[1]?.clips ?? [];
    if (placed !== undefined) sim.select(sim.core.sequence(sequence.guid), placed);
    // A panel that was opened again, after a restart.
    const reopened = sim.open();
    expect(await selectedClip(reopened)).toMatchObject({ edit: { editId, version: 1 } });
    const [edit] = await reopened.timeline.edits();
    expect(edit?.versions[0]?.recipe).toEqual(recipe('job1'));
  });

  test('stays findable when the panel forgets: the records travel with the sequence', async () => {
    await layTimeline(project, pal, 4, 6, 2);
    const host = sim.open();
    const result = await receiveResult(project, host, {
      frames: 6,
      timebase: pal,
      firstNumber: 100,
    });
    await host.timeline.place(placeRequest(await selectedClip(host), result));
    await rm(path.join(folder, 'plugin-data'), { recursive: true });
    expect(await sim.open().timeline.edits()).toMatchObject([{ placed: 1 }]);
  });

  test('its original opens in the Source monitor at the frame under the playhead', async () => {
    const { sequence, clip, itemId } = await layTimeline(project, pal, 4, 6, 2);
    const host = sim.open();
    const result = await receiveResult(project, host, {
      frames: 6,
      timebase: pal,
      firstNumber: 100,
    });
    const { editId } = await host.timeline.place(placeRequest(await selectedClip(host), result));
    sim.core.playheads.set(sequence.guid, clip.start + 3n * pal);
    await host.timeline.openOriginal(editId);
    expect(sim.core.sourceMonitor).toEqual({ itemId, position: 5n * pal });
  });

  test('any version can be forgotten, with its item and its file, and one that shows leaves the timeline first', async () => {
    await layTimeline(project, pal, 4, 6, 2);
    const host = sim.open();
    const selected = await selectedClip(host);
    const first = await receiveResult(project, host, {
      frames: 6,
      timebase: pal,
      firstNumber: 100,
    });
    const { editId } = await host.timeline.place(placeRequest(selected, first));
    const second = await receiveResult(project, host, { frames: 6, timebase: pal, firstNumber: 200 });
    await host.timeline.place({ ...placeRequest(selected, second), editId });
    expect(await host.timeline.forgetVersion(editId, 1)).toMatchObject({ versions: [{ version: 2 }], placed: 2 });
    expect(sim.core.document.items.some(({ id }) => id === first.resultId)).toBe(false);

    expect(await host.timeline.forgetVersion(editId, 2)).toMatchObject({ versions: [], placed: null });
    expect(sim.core.document.items.some(({ id }) => id === second.resultId)).toBe(false);
    expect(await readdir(path.join(folder, 'TokenFlow'))).toEqual([]);
    expect(await host.timeline.edits()).toEqual([]);
    await expect(host.timeline.forgetVersion(editId, 2)).rejects.toMatchObject({ code: 'edit-missing' });
  });

  test('the clip of an earlier edit is selected again, unless it has moved', async () => {
    const { sequence, clip } = await layTimeline(project, pal, 4, 6, 2);
    const host = sim.open();
    const { snapshot } = await selectedClip(host);
    sim.core.selected.delete(sequence.guid);
    expect((await host.selection.read()).empty).toBe('nothing-selected');
    expect(await host.selection.select(snapshot)).toBe(true);
    expect((await host.selection.read()).clips).toMatchObject([{ snapshot }]);

    clip.start += pal;
    clip.end += pal;
    expect(await host.selection.select(snapshot)).toBe(false);
    expect(await host.selection.select({ ...snapshot, sequenceId: 'other' } as typeof snapshot)).toBe(false);
  });
});
