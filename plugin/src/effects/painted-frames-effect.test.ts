import { expect, test } from 'vitest';
import { fileClip, openEffectsScene, result, selectionOf, type EffectsScene } from './testing/effects-scene.ts';

async function painting(): Promise<EffectsScene> {
  const scene = await openEffectsScene({ selection: selectionOf(fileClip) });
  await scene.clock.advance(500);
  await scene.act({ type: 'region-changed', change: { kind: 'painted' } });
  await scene.clock.settle();
  return scene;
}

async function give(scene: EffectsScene, name: string, bytes = Uint8Array.of(1, 2, 3)): Promise<void> {
  scene.host.picture = { name, bytes };
  await scene.act({ type: 'painting-add-pressed' });
  await scene.clock.settle();
}

const framesOf = ({ store }: EffectsScene) => store.state.region.painted.map(({ frame }) => frame);
const lastProblem = ({ store }: EffectsScene) => store.state.toasts.at(-1)?.problem?.message;

test('the frame that is shown is saved as a picture that names it', async () => {
  const scene = await painting();
  await scene.act({ type: 'region-frame-chosen', frame: 3 }, { type: 'painting-save-pressed' });
  await scene.clock.settle();
  expect(scene.host.log).toContain(`saved clip-frame-3.png, ${result.length} bytes`);
  expect(scene.store.state.region.isPaintingBusy).toBe(false);
});

test('pictures that come back are the frames that they name, else the one that is shown; Apply takes them without a prompt', async () => {
  const scene = await painting();
  await scene.act({ type: 'region-frame-chosen', frame: 2 });
  await give(scene, 'clip-frame-1 copy.PNG');
  await give(scene, 'red.png', Uint8Array.of(4, 5));
  expect(framesOf(scene)).toEqual([1, 2]);
  await scene.act({ type: 'form-changed', change: { sourcePrompt: 'a wolf' } }, { type: 'apply-pressed' });
  const { settings } = scene.store.state.tasks.at(-1) ?? {};
  expect(settings?.prompt).toBe('a wolf');
  expect(settings?.keyframes).toEqual(scene.store.state.region.painted.map(({ frame, sha256 }) => ({ frame, sha256 })));
  expect(new Set(settings?.keyframes?.map(({ sha256 }) => sha256)).size).toBe(2);
});

test('the thumbnail of a frame goes with it', async () => {
  const scene = await painting();
  await give(scene, 'a.png');
  const before = scene.openPictures.size;
  await scene.act({ type: 'painted-removed', frame: 0 });
  expect(framesOf(scene)).toEqual([]);
  expect(scene.openPictures.size).toBe(before - 1);
});

test('a frame that the clip has not, and a file that is no picture, are refused by name', async () => {
  const scene = await painting();
  await give(scene, 'clip-frame-900.png');
  expect(lastProblem(scene)).toMatch(/^"clip-frame-900.png" is frame 900; the clip has \d+ frames/);
  await give(scene, 'notes.txt');
  expect(lastProblem(scene)).toMatch(/^"notes.txt" must be one of png/);
  expect(framesOf(scene)).toEqual([]);
  expect(scene.store.state.region.isPaintingBusy).toBe(false);
});
