import { describe, expect, test } from 'vitest';
import { isCurrent, previewed, previewFramesOf } from '../state/preview.ts';
import {
  fileClip,
  lastJob,
  openEffectsScene,
  selectionOf,
  timelineClip,
  type EffectsScene,
  type EffectsSceneOptions,
} from './testing/effects-scene.ts';

/** A preview was asked for, made, and its pictures have come. */
async function shown(options: EffectsSceneOptions = {}): Promise<EffectsScene> {
  const scene = await openEffectsScene(options);
  await scene.act({ type: 'preview-pressed' });
  await finishPreview(scene);
  return scene;
}

async function finishPreview(scene: EffectsScene): Promise<void> {
  await scene.runUntil('queued');
  scene.server.changeJob(lastJob(scene), 'done');
  await scene.runUntil('previewed');
  await scene.clock.settle();
}

const isFresh = ({ store: { state } }: EffectsScene): boolean => {
  const task = previewed(state);
  return task !== null && isCurrent(state, task);
};
const settingsOf = (scene: EffectsScene) => scene.server.jobs.get(lastJob(scene))?.settings;

describe('a preview', () => {
  test('is a job of the keyframes alone, shown as frames of both sides and placed nowhere', async () => {
    const scene = await shown();
    expect(settingsOf(scene)).toMatchObject({ prompt: 'a wolf', preview: true });
    const { previewStrip } = scene.store.state;
    expect(Object.values(previewStrip?.pictures ?? {}).map(({ name }) => name)).toEqual(Array(10).fill('ready'));
    const asked = scene.server.heard.filter((message) => message.type === 'frame-get');
    const framesOf = (side: string) => asked.filter((one) => one.side === side).map(({ frameIndex }) => frameIndex);
    expect(framesOf('edit')).toEqual([0, 1, 2, 3, 4]);
    expect(framesOf('original')).toEqual([4, 14, 24, 34, 44]);
    expect(previewFramesOf(scene.task).map(({ seconds }) => seconds)).toEqual([0.16, 0.56, 0.96, 1.36, 1.76]);
    expect(scene.host.placed).toEqual([]);
    expect(scene.store.state.edits).toEqual([]);
    expect(scene.asked).not.toContain('download-begin');
  });

  test('is gone on with: the edit has its settings, seed and clip, and it leaves the server', async () => {
    const scene = await shown();
    const previewSettings = settingsOf(scene);
    const previewJob = lastJob(scene);
    await scene.act({ type: 'apply-pressed' });
    await scene.runUntil('queued');
    expect(settingsOf(scene)).toEqual({ ...previewSettings, preview: false });
    expect(scene.host.log.filter((line) => line === 'exported')).toHaveLength(1);
    expect(scene.server.jobs.has(previewJob)).toBe(false);
    expect(scene.store.state.previewStrip).toBeNull();
    expect(scene.openPictures.size).toBe(0);
    expect(scene.store.state.toasts).toMatchObject([{ text: 'preview-applied' }]);
    // The next edit draws another seed.
    expect(scene.store.state.form.seed).not.toBe(previewSettings?.seed);
    scene.server.changeJob(lastJob(scene), 'done');
    await scene.runUntil('done');
    expect(scene.host.placed).toHaveLength(1);
  });

  test('is out of date as soon as words, numbers, seed or clip are others, and in date again', async () => {
    const scene = await shown();
    const { seed } = scene.store.state.form;
    expect(isFresh(scene)).toBe(true);
    for (const change of [{ prompt: 'a fox' }, { strength: 0.9 }, { seed: seed + 1 }, { steps: 7 }]) {
      const before = scene.store.state.form;
      await scene.act({ type: 'form-changed', change });
      expect(isFresh(scene), JSON.stringify(change)).toBe(false);
      await scene.act({ type: 'form-changed', change: before });
      expect(isFresh(scene)).toBe(true);
    }
    // In which file the edit will come changes no picture.
    await scene.act({ type: 'form-changed', change: { codec: 'h264' } });
    expect(isFresh(scene)).toBe(true);
    await scene.act({ type: 'export-mode-chosen', mode: 'source' });
    expect(isFresh(scene)).toBe(false);
    await scene.act({ type: 'export-mode-chosen', mode: 'rendered' });
    const { snapshot } = timelineClip;
    if (snapshot.kind !== 'timeline') throw new Error('It is on a timeline.');
    scene.host.select(selectionOf({ ...timelineClip, snapshot: { ...snapshot, end: '9' } }));
    await scene.clock.settle();
    expect(isFresh(scene)).toBe(false);
  });

  test('that is out of date is not what Apply goes on with, and stays to be looked at', async () => {
    const scene = await shown();
    const previewJob = lastJob(scene);
    await scene.act({ type: 'form-changed', change: { prompt: 'a fox' } }, { type: 'apply-pressed' });
    await scene.runUntil('queued');
    expect(settingsOf(scene)).toMatchObject({ prompt: 'a fox', preview: false });
    expect(scene.host.log.filter((line) => line === 'exported')).toHaveLength(2);
    expect(scene.server.jobs.has(previewJob)).toBe(true);
    expect(scene.store.state.previewStrip).not.toBeNull();
  });

  test('takes the place of the one before, with another seed where the settings are the same', async () => {
    const scene = await shown();
    const [first, firstSettings] = [lastJob(scene), settingsOf(scene)];
    await scene.act({ type: 'preview-pressed' });
    await finishPreview(scene);
    expect([...scene.server.jobs.keys()]).toEqual([lastJob(scene)]);
    expect(lastJob(scene)).not.toBe(first);
    expect(settingsOf(scene)).toMatchObject({ prompt: 'a wolf', preview: true });
    expect(settingsOf(scene)?.seed).not.toBe(firstSettings?.seed);
    expect(scene.openPictures.size).toBe(10);
    expect(isFresh(scene)).toBe(true);
  });

  test('that is replaced while the server works on it is ended there', async () => {
    const scene = await openEffectsScene();
    await scene.act({ type: 'preview-pressed' });
    await scene.runUntil('queued');
    const first = lastJob(scene);
    await scene.act({ type: 'form-changed', change: { prompt: 'a fox' } }, { type: 'preview-pressed' });
    await finishPreview(scene);
    expect(scene.server.jobs.has(first)).toBe(false);
    expect(scene.store.state.tasks).toHaveLength(1);
  });

  test('of a file that was sent ahead sends nothing again, and counts from the beginning of the file', async () => {
    const { snapshot } = fileClip;
    const ranged = { ...fileClip, snapshot: { ...snapshot, startSeconds: 1, endSeconds: 2 } };
    const scene = await shown({ selection: selectionOf(ranged) });
    expect(scene.asked.filter((type) => type === 'upload-begin')).toHaveLength(1);
    expect(previewFramesOf(scene.task)[0]).toEqual({ index: 0, clipFrame: 29, seconds: 1.16 });
  });

  test('that nobody wants any more is forgotten, here and on the server', async () => {
    const scene = await shown();
    await scene.act({ type: 'preview-frame-chosen', index: 2 }, { type: 'preview-dismissed' });
    await scene.clock.settle();
    expect(scene.server.jobs.size).toBe(0);
    expect(scene.store.state).toMatchObject({ tasks: [], previewStrip: null, compare: null });
    expect(scene.openPictures.size).toBe(0);
  });

  test('that failed or was canceled leaves nothing on the server when its card is dismissed', async () => {
    const scene = await openEffectsScene();
    await scene.act({ type: 'preview-pressed' });
    await scene.runUntil('queued');
    const { key } = scene.task;
    await scene.act({ type: 'task-cancel-pressed', key });
    await scene.runUntil('canceled');
    await scene.act({ type: 'task-dismissed', key });
    expect(scene.server.jobs.size).toBe(0);
  });

  test('is there again in the next panel, and one that was to be deleted is deleted then', async () => {
    const earlier = await shown();
    await earlier.clock.advance(2_000);
    const later = await openEffectsScene({ earlier, texts: new Map(earlier.host.texts) });
    await later.clock.settle();
    expect(later.store.state.previewStrip?.key).toBe(earlier.task.key);
    expect(later.openPictures.size).toBe(10);

    earlier.server.isUp = false;
    earlier.server.cutAll();
    await earlier.act({ type: 'preview-dismissed' });
    await earlier.clock.advance(2_000);
    earlier.close();
    const last = await openEffectsScene({ earlier, texts: new Map(earlier.host.texts) });
    await last.clock.settle();
    expect(last.server.jobs.size).toBe(0);
    expect(last.store.state.tasks).toEqual([]);
  });

  test('does not pass for a measure of how long edits take', async () => {
    expect((await shown()).store.state.throughputs).toEqual({});
  });

  test('opens the comparison at the frame that is chosen, against the frame of the clip that it shows', async () => {
    const scene = await shown();
    await scene.act({ type: 'preview-frame-chosen', index: 3 });
    const { compare, page } = scene.store.state;
    expect(page).toBe('compare');
    expect(compare).toMatchObject({ frameIndex: 3, subject: { frames: 5, frameRate: { numerator: 2 } } });
    const wide = scene.server.heard.filter((one) => one.type === 'frame-get' && one.maxSide > 400);
    expect(wide).toContainEqual(expect.objectContaining({ side: 'original', frameIndex: 34 }));
    await scene.act({ type: 'preview-frame-chosen', index: 0 });
    expect(scene.store.state.compare?.about).toBe(compare?.about);
  });
});
