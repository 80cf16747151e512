// What goes wrong between panel and Premiere, and that nothing is lost and nothing half done on the timeline.

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ImportedResult } from '../../plugin/src/host/edits.ts';
import type { PremiereHost } from '../../plugin/src/host/premiere/premiere-host.ts';
import { cloneName } from '../../plugin/src/host/premiere/export/restore-plan.ts';
import type { SelectedClip } from '../../plugin/src/host/selection.ts';
import { readFrameNumbers } from './numbered-film.ts';
import type { PremiereSim } from './premiere-sim.ts';
import { describeSequence } from './sim-document.ts';
import {
  layTimeline,
  openTestProject,
  pal,
  placeRequest,
  receiveFile,
  receiveResult,
  saveExport,
  selectedClip,
  type TestProject,
  type TestTimeline,
} from './testing-flow.ts';

let project: TestProject;
let sim: PremiereSim;
let timeline: TestTimeline;
let before: string;

beforeEach(async () => {
  project = await openTestProject();
  ({ sim } = project);
  timeline = await layTimeline(project, pal, 4, 6, 2);
  before = describeSequence(timeline.sequence);
});
afterEach(() => project.close());

const now = (): string => describeSequence(sim.core.sequence(timeline.sequence.guid));
const exports = (): Promise<string[]> => readdir(path.join(project.folder, 'plugin-data/exports'));
const sixFrames = { frames: 6, timebase: pal, firstNumber: 100 } as const;

async function exportClip(): Promise<number[]> {
  const host = sim.open();
  const { snapshot } = await selectedClip(host);
  const file = path.join(project.folder, 'sent.mov');
  await saveExport(await host.clips.export(snapshot, { mode: 'rendered' }), file);
  return readFrameNumbers(file);
}

describe('an export', () => {
  test('of which no event tells is known to be whole by its file', async () => {
    sim.core.faults.exportEvent = 'never';
    expect(await exportClip()).toEqual([2, 3, 4, 5, 6, 7]);
  });

  test.each([true, false])('whose answer is %s is judged by its file', async (answer) => {
    sim.core.faults.exportAnswer = answer;
    expect(await exportClip()).toEqual([2, 3, 4, 5, 6, 7]);
  });

  test.each([
    ['an event says so', () => void (sim.core.faults.exportEvent = 'failed')],
    ['no file ever appears', () => void (sim.core.faults.exportWritesNothing = true)],
  ])('fails when %s, and leaves nothing behind', async (_name, breakIt) => {
    breakIt();
    sim.core.faults.exportAnswer = true;
    await expect(exportClip()).rejects.toMatchObject({ code: 'export-failed' });
    expect(now()).toBe(before);
    expect(sim.core.document.sequences).toHaveLength(1);
    sim.core.faults.exportEvent = 'success';
    sim.core.faults.exportWritesNothing = false;
    await sim.core.clock.wait(10_000);
    expect(await exportClip()).toHaveLength(6);
  });

  test('that was canceled ends at once; its copy goes when Premiere is ready', async () => {
    const host = sim.open();
    const { snapshot } = await selectedClip(host);
    const cancel = new AbortController();
    const exported = host.clips.export(snapshot, {
      mode: 'rendered',
      signal: cancel.signal,
      onProgress: () => cancel.abort(),
    });
    await expect(exported).rejects.toMatchObject({ name: 'CanceledError' });
    // The next one waits for Premiere's exporter, and so for the copy to be gone.
    const next = await host.clips.export(snapshot, { mode: 'rendered' });
    expect(sim.core.document.sequences).toHaveLength(1);
    await next.dispose();
    expect(await exports()).toEqual([]);
    expect(now()).toBe(before);
  });

  test('of a clip that has moved is not begun', async () => {
    const host = sim.open();
    const { snapshot } = await selectedClip(host);
    timeline.clip.start += pal;
    timeline.clip.end += pal;
    const exported = host.clips.export(snapshot, { mode: 'rendered' });
    await expect(exported).rejects.toMatchObject({ code: 'timeline-changed' });
    expect(sim.core.undoStack).toEqual([]);
  });

  test('without a preset asks for one, and takes the one that is picked', async () => {
    const host = sim.open();
    await host.storage.write('export-preset', null);
    const { snapshot } = await selectedClip(host);
    const exported = host.clips.export(snapshot, { mode: 'rendered' });
    await expect(exported).rejects.toMatchObject({ code: 'preset-missing' });
    const nativePath = path.join(project.folder, 'QuickTime.epr');
    sim.uxp.picks.open = {
      name: 'QuickTime.epr',
      nativePath,
      read: () => Promise.resolve(''),
      write: () => Promise.resolve(),
    };
    expect(await host.files.pickExportPreset()).toBe(true);
    expect(await exportClip()).toHaveLength(6);
  });

  test('during which Premiere died is cleaned up at the next start', async () => {
    sim.core.faults.exportEvent = 'never';
    const host = sim.open();
    const { snapshot } = await selectedClip(host);
    // The panel that began it never ends it: its clock has stopped.
    const stopped = new Promise<void>(() => undefined);
    const clock = sim.core.clock;
    const wait = clock.wait.bind(clock);
    let isWaiting = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (isWaiting = resolve));
    clock.wait = () => {
      isWaiting();
      return stopped;
    };
    void host.clips.export(snapshot, { mode: 'rendered' });
    await waiting;
    clock.wait = wait;
    expect(sim.core.document.sequences.map(({ name }) => name)).toEqual(['Main', cloneName]);

    const reopened = sim.open();
    expect(await reopened.clips.recover()).toEqual([expect.stringContaining('Main')]);
    expect(sim.core.document.sequences.map(({ name }) => name)).toEqual(['Main']);
    expect(now()).toBe(before);
    expect(await reopened.clips.recover()).toEqual([]);
  });

  test('that was interrupted never costs a sequence that only looks like its copy', async () => {
    const host = sim.open();
    const other = sim.addSequence(pal);
    const plan = {
      projectId: sim.core.projectGuid,
      projectName: 'p',
      sequenceName: 'Main',
      cloneId: other.guid,
      path: '/none',
    };
    await host.storage.write('export-plan', JSON.stringify(plan));
    await host.clips.recover();
    expect(sim.core.document.sequences).toHaveLength(2);
  });
});

describe('an import', () => {
  test('that is late is waited for', async () => {
    sim.core.faults.importDelayMs = 20_000;
    const host = sim.open();
    expect(await receiveResult(project, host, sixFrames)).toHaveProperty('resultId');
  });

  test('whose answer is no, though it worked, worked', async () => {
    sim.core.faults.importAnswer = false;
    expect(await receiveResult(project, sim.open(), sixFrames)).toHaveProperty('resultId');
  });

  test.each([
    ['nothing', 'import-late'],
    ['offline-item', 'import-late'],
  ] as const)('that brings %s fails, and works when it is tried again', async (brings, code) => {
    const host = sim.open();
    sim.core.faults.importBrings = brings;
    const file = await receiveFile(project, host, sixFrames);
    await expect(host.timeline.importResult(file)).rejects.toMatchObject({ code });
    sim.core.faults.importBrings = 'item';
    const result = await host.timeline.importResult(file);
    // A third time finds what is there.
    expect(await host.timeline.importResult(file)).toEqual(result);
    expect(now()).toBe(before);
  });

  test('uses the one bin, made once', async () => {
    const host = sim.open();
    await receiveResult(project, host, sixFrames);
    await receiveResult(project, host, { ...sixFrames, jobId: 'job2' });
    const bins = sim.core.document.items.filter(({ kind }) => kind === 'bin');
    expect(bins).toMatchObject([{ name: 'TokenFlow' }]);
    expect(sim.core.document.items.filter(({ parentId }) => parentId === bins[0]?.id)).toHaveLength(2);
  });
});

function closeProject(): void {
  sim.core.isProjectOpen = false;
}

function removeSequences(): void {
  sim.core.changeForGood((document) => {
    document.sequences = [];
  });
}

describe('nothing is placed', () => {
  async function ready(): Promise<{
    readonly host: PremiereHost;
    readonly clip: SelectedClip;
    readonly result: ImportedResult;
  }> {
    const host = sim.open();
    const clip = await selectedClip(host);
    const result = await receiveResult(project, host, sixFrames);
    return { host, clip, result };
  }

  test('when the clip was moved, but at the old place when the person says so', async () => {
    const { host, clip, result } = await ready();
    timeline.clip.start += 20n * pal;
    timeline.clip.end += 20n * pal;
    before = now();
    const placing = host.timeline.place(placeRequest(clip, result));
    await expect(placing).rejects.toMatchObject({ code: 'timeline-changed' });
    expect(now()).toBe(before);
    const edit = await host.timeline.place(placeRequest(clip, result, { evenIfChanged: true }));
    expect(edit.place).toMatchObject({ start: String(4n * pal), end: String(10n * pal) });
  });

  test.each([
    ['trimmed', () => void (timeline.clip.end -= pal)],
    ['slipped', () => void (timeline.clip.inPoint += pal)],
    ['replaced', () => void (timeline.clip.itemId = 'another')],
  ])('when the clip was %s', async (_name, change) => {
    const { host, clip, result } = await ready();
    change();
    before = now();
    const placing = host.timeline.place(placeRequest(clip, result));
    await expect(placing).rejects.toMatchObject({ code: 'timeline-changed' });
    expect(now()).toBe(before);
  });

  test('when the tracks above were filled meanwhile', async () => {
    const { host, clip, result } = await ready();
    const { sequence, itemId } = timeline;
    for (const track of [1, 2]) sim.addClip(sequence, { track, itemId, startFrame: 9, frames: 9 });
    before = now();
    const placing = host.timeline.place(placeRequest(clip, result));
    await expect(placing).rejects.toMatchObject({ code: 'no-free-track' });
    expect(now()).toBe(before);
  });

  test('when the result is not as long as its place, which it would overrun', async () => {
    const { host, clip } = await ready();
    const result = await receiveResult(project, host, { ...sixFrames, frames: 7, jobId: 'job2' });
    const placing = host.timeline.place(placeRequest(clip, result));
    await expect(placing).rejects.toMatchObject({ code: 'result-unfit' });
    expect(now()).toBe(before);
  });

  test('when its sound would overwrite what is heard', async () => {
    const { host, clip } = await ready();
    const { sequence, itemId } = timeline;
    for (const track of [1, 2]) {
      sim.addClip(sequence, { track, itemId, startFrame: 0, frames: 99, kind: 'audio' });
    }
    before = now();
    const result = await receiveResult(project, host, { ...sixFrames, hasAudio: true, jobId: 'job2' });
    const placing = host.timeline.place(placeRequest(clip, result, { hasAudio: true }));
    await expect(placing).rejects.toMatchObject({ code: 'no-free-audio-track' });
    expect(now()).toBe(before);
  });

  test.each([
    ['project-closed', closeProject],
    ['sequence-closed', removeSequences],
  ])('when %s', async (code, close) => {
    const { host, clip, result } = await ready();
    close();
    const placing = host.timeline.place(placeRequest(clip, result));
    await expect(placing).rejects.toMatchObject({ code });
  });

  test('when Premiere refuses the action', async () => {
    const { host, clip, result } = await ready();
    sim.core.faults.refusedAction = 'overwrite';
    const placing = host.timeline.place(placeRequest(clip, result));
    await expect(placing).rejects.toMatchObject({ code: 'place-failed' });
    expect(now()).toBe(before);
    expect(await host.timeline.edits()).toEqual([]);
  });

  test('when Premiere claims that it did, the panel does not believe it', async () => {
    const { host, clip, result } = await ready();
    sim.core.faults.transaction = 'nothing-and-claims';
    const placing = host.timeline.place(placeRequest(clip, result));
    await expect(placing).rejects.toMatchObject({ code: 'place-mismatch' });
  });
});

describe('a placing', () => {
  test('that could not be recorded in the sequence is still an edit that the panel knows', async () => {
    const host = sim.open();
    const clip = await selectedClip(host);
    const result = await receiveResult(project, host, sixFrames);
    sim.core.faults.refusedAction = 'set-property';
    expect(await host.timeline.place(placeRequest(clip, result))).toMatchObject({ placed: 1 });
    expect(await sim.open().timeline.edits()).toMatchObject([{ placed: 1 }]);
  });

  test('whose clip was dragged elsewhere is not versioned over the wrong place', async () => {
    const host = sim.open();
    const clip = await selectedClip(host);
    const first = await receiveResult(project, host, sixFrames);
    const { editId } = await host.timeline.place(placeRequest(clip, first));
    const [placed] = sim.core.sequence(timeline.sequence.guid).video[1]?.clips ?? [];
    if (placed !== undefined) Object.assign(placed, { start: 50n * pal, end: 56n * pal });
    const second = await receiveResult(project, host, { ...sixFrames, jobId: 'job2' });
    const placing = host.timeline.place(placeRequest(clip, second, { editId }));
    await expect(placing).rejects.toMatchObject({ code: 'timeline-changed' });
  });

  test('that is gone cannot be hidden or reverted, and says so', async () => {
    const host = sim.open();
    const clip = await selectedClip(host);
    const result = await receiveResult(project, host, sixFrames);
    const { editId } = await host.timeline.place(placeRequest(clip, result));
    sim.core.undo();
    await expect(host.timeline.setShown(editId, false)).rejects.toMatchObject({ code: 'edit-missing' });
    await expect(host.timeline.revert(editId)).rejects.toMatchObject({ code: 'edit-missing' });
  });
});

describe('a download', () => {
  test('that broke off goes on where it stopped, also after a restart', async () => {
    const name = { jobId: 'job9', clipName: 'a/b: wolf?.mp4', extension: '.mov' };
    const first = await sim.open().files.openResult(name);
    await first.write(0, Uint8Array.of(1, 2, 3));
    await first.pause();
    const again = await sim.open().files.openResult(name);
    expect(again.receivedBytes).toBe(3);
    await again.write(3, Uint8Array.of(4, 5));
    expect([...(await again.read(0, 99))]).toEqual([1, 2, 3, 4, 5]);
    const file = await again.finish();
    expect(file).toMatchObject({ name: 'a b wolf TokenFlow 1.mov', sizeBytes: 5 });
    const other = await sim.open().files.openResult(name);
    await other.write(0, Uint8Array.of(7));
    expect(await other.finish()).toMatchObject({ name: 'a b wolf TokenFlow 2.mov' });
  });

  test('that is not wanted leaves nothing', async () => {
    const name = { jobId: 'job9', clipName: 'wolf', extension: '.mov' };
    const writer = await sim.open().files.openResult(name);
    await writer.write(0, Uint8Array.of(1));
    await writer.discard();
    expect(await readdir(path.join(project.folder, 'TokenFlow'))).toEqual([]);
  });
});
