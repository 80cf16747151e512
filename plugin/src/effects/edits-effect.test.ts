import { describe, expect, test } from 'vitest';
import type { TimelineSnapshot } from '../host/selection.ts';
import { applyBlock } from '../state/choices.ts';
import {
  fileClip,
  lastClip,
  lastJob,
  openEffectsScene,
  result,
  selectionOf,
  timelineClip,
  type EffectsScene,
  type EffectsSceneOptions,
} from './testing/effects-scene.ts';

/** An edit with two versions is there. */
async function edited(options: EffectsSceneOptions = {}): Promise<EffectsScene> {
  const scene = await openEffectsScene(options);
  for (const prompt of ['a wolf', 'a fox']) {
    await scene.act({ type: 'form-changed', change: { prompt } }, { type: 'apply-pressed' });
    await scene.runUntil('queued');
    scene.server.changeJob(lastJob(scene), 'done');
    await scene.runUntil('done');
    await scene.act({ type: 'rerun-pressed', editId: 'e1', version: 1 });
  }
  return scene;
}

const toast = ({ store }: EffectsScene) => store.state.toasts.at(-1);
const about = { editId: 'e1', version: 1 };

describe('an edit', () => {
  test('is run again as a new version of itself, with its settings and seed', async () => {
    const scene = await edited();
    expect(scene.host.placed.map(({ editId }) => editId)).toEqual([null, 'e1']);
    const [first] = scene.host.records[0]?.versions ?? [];
    expect(scene.store.state.form).toMatchObject({ prompt: 'a wolf', seed: first?.recipe.settings.seed });
    expect(scene.store.state.rerunOf).toBe('e1');
  });

  test('is run again with the clip of the edit, also where another clip is selected', async () => {
    const scene = await edited();
    const snapshot = { ...timelineClip.snapshot, mediaPath: '/other.mov' } as TimelineSnapshot;
    scene.host.select(selectionOf({ ...timelineClip, key: 'o', snapshot }));
    await scene.clock.settle();
    await scene.act({ type: 'rerun-pressed', ...about });
    expect(scene.store.state.selection?.clips).toMatchObject([{ snapshot: { mediaPath: '/clip.mov' } }]);
    expect(toast(scene)?.text).toBe('recipe-loaded');

    scene.host.canSelect = false;
    scene.host.select(selectionOf());
    await scene.clock.settle();
    await scene.act({ type: 'rerun-pressed', ...about });
    expect(toast(scene)?.text).toBe('recipe-loaded-select');
  });

  test('shows an earlier version, goes, and says so', async () => {
    const scene = await edited();
    await scene.act({ type: 'version-chosen', ...about });
    expect(scene.store.state.edits[0]?.placed).toBe(1);
    expect(toast(scene)?.text).toBe('version-shown');
    await scene.act({ type: 'revert-pressed', editId: 'e1' });
    expect(scene.store.state.edits[0]?.placed).toBeNull();
    expect(toast(scene)?.text).toBe('reverted');
  });

  test('is hidden and shown on the timeline, and its original opened', async () => {
    const scene = await edited();
    await scene.act({ type: 'show-toggled', editId: 'e1' });
    expect(scene.store.state.isShown).toBe(false);
    await scene.act({ type: 'show-toggled', editId: 'e1' }, { type: 'original-pressed', editId: 'e1' });
    expect(scene.store.state.isShown).toBe(true);
    expect(scene.host.log.slice(-3)).toEqual(['e1 hidden', 'e1 shown', 'original of e1']);
  });

  test('loses a version here and on the server', async () => {
    const scene = await edited();
    const [first] = [...scene.server.jobs.keys()];
    await scene.act({ type: 'forget-confirmed', ...about });
    expect(scene.store.state.edits[0]?.versions.map(({ version }) => version)).toEqual([2]);
    expect(scene.server.jobs.has(first ?? '')).toBe(false);
    expect(scene.server.jobs.size).toBe(1);
  });

  test('says how much room all of them take, and less after one was deleted', async () => {
    const scene = await edited();
    await scene.act({ type: 'page-chosen', page: 'versions' });
    expect(scene.store.state.storage).toMatchObject({ resultsBytes: 2 * result.length, freeBytes: 1e9 });
    await scene.act({ type: 'forget-confirmed', ...about });
    expect(scene.store.state.storage?.resultsBytes).toBe(result.length);
  });

  test('that cannot be changed says why, and the next change is tried all the same', async () => {
    const scene = await edited();
    await scene.act({ type: 'revert-pressed', editId: 'other' }, { type: 'version-chosen', ...about });
    const texts = scene.store.state.toasts.map(({ text }) => text);
    expect(texts.slice(-2)).toEqual(['failed', 'version-shown']);
    expect(scene.store.state.toasts.at(-2)?.problem?.code).toBe('edit-missing');
  });
});

describe('a clip of a web page', () => {
  test('is on the server still when the page was loaded anew, and is not asked of the page', async () => {
    const earlier = await edited({ selection: selectionOf(fileClip) });
    const { texts } = earlier.host;
    earlier.close();
    const later = await openEffectsScene({ selection: selectionOf(fileClip), earlier, texts, hasFile: false });
    await later.clock.settle();
    expect(later.store.state.prepared).toMatchObject({ problem: null, clip: { clipId: lastClip(earlier) } });
    expect(later.asked).not.toContain('upload-begin');
    await later.act({ type: 'apply-pressed' });
    await later.runUntil('queued');
  });

  test('is found by an edit of it where the page has kept nothing', async () => {
    const earlier = await edited({ selection: selectionOf(fileClip) });
    const later = await openEffectsScene({ selection: selectionOf(), page: true, earlier, hasFile: false });
    later.host.records.push(...earlier.host.records);
    await later.act({ type: 'refresh-pressed' });
    await later.act({ type: 'rerun-pressed', ...about });
    await later.clock.settle();
    expect(later.store.state.prepared).toMatchObject({ problem: null, clip: { clipId: lastClip(earlier) } });
    expect(applyBlock(later.store.state)).toBeNull();
  });

  test('that nobody has any more is told, and Apply waits for another', async () => {
    const scene = await openEffectsScene({ selection: selectionOf(fileClip), hasFile: false });
    await scene.clock.settle();
    expect(scene.store.state.prepared?.problem).toMatchObject({ code: 'file-missing' });
    expect(applyBlock(scene.store.state)).toBe('clip-unusable');
  });
});

describe('a result in a web page', () => {
  test('is handed over as it is there', async () => {
    const scene = await edited({ selection: selectionOf(fileClip) });
    const fetched = scene.asked.filter((type) => type === 'download-begin').length;
    await scene.act({ type: 'save-pressed', editId: 'e1', version: 2 });
    expect(scene.host.log.at(-1)).toMatch(/^save \w+ true$/);
    expect(scene.asked.filter((type) => type === 'download-begin')).toHaveLength(fetched);
  });

  test('is fetched again after the page was loaded anew', async () => {
    const earlier = await edited({ selection: selectionOf(fileClip) });
    const later = await openEffectsScene({ selection: selectionOf(fileClip), earlier });
    later.host.records.push(...earlier.host.records);
    await later.act({ type: 'refresh-pressed' });
    await later.act({ type: 'save-pressed', ...about });
    await later.clock.settle();
    expect(later.host.log.map((line) => line.replace(/ [0-9a-f]{32}/, ''))).toEqual([
      'exported',
      'disposed',
      'save false',
      'wrote 500',
      'save true',
    ]);
  });
});
